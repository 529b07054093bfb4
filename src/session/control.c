#include "session/control.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/env.h"
#include "base/own.h"
#include "format/json_out.h"
#include "format/node.h"
#include "os/ev.h"
#include "os/fd.h"
#include "os/uapi.h"
#include "session/own_folder.h"

enum { HEAD = 4, ANCESTORS = 64, ANSWER_DEADLINE_MS = 20000 };

struct client {
	int fd; /* -1: free */
	int64_t until_ms;
	struct ucred peer;
	uint8_t head[HEAD];
	size_t got; /* of head and body */
	struct buf body;
	size_t len;
};

struct control {
	int folder, listener, epoll;
	char name[CONTROL_NAME_MAX + 1];
	struct client clients[CONTROL_CLIENTS];
	struct client *asking; /* whose request is being answered */
	char who[64];
	struct arena arena; /* of its JSON */
	struct problems problems;
};

/* ---- small things -------------------------------------------------------------------------------------------------- */

bool control_is_name(const char *session)
{
	size_t len = strlen(session);
	if (len == 0 || len > CONTROL_NAME_MAX || session[0] == '.')
		return false;
	for (size_t i = 0; i < len; i++) {
		char c = session[i];
		bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
		if (!letter && c != '.' && c != '_' && c != '-')
			return false;
	}
	return true;
}

enum berm_code control_folder(const char *const *envp, const char *home, char ret_folder[static PATH_MAX],
			      struct berm_err *err)
{
	const struct {
		const char *base, *below;
	} places[] = {
		{env_get(envp, "BERM_STATE_DIR"), "/sessions"},
		{env_get(envp, "XDG_RUNTIME_DIR"), "/berm"},
		{env_get(envp, "XDG_STATE_HOME"), "/berm/sessions"},
		{home, "/.local/state/berm/sessions"},
	};
	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		if (places[i].base == NULL || places[i].base[0] != '/')
			continue;
		int len = snprintf(ret_folder, PATH_MAX, "%s%s", places[i].base, places[i].below);
		return len > 0 && len < PATH_MAX
			       ? BERM_OK
			       : err_set(err, BERM_ERR_LIMIT, "path too long: '%.60s'", places[i].base);
	}
	return err_set(err, BERM_ERR_NOTFOUND, "there is no folder for control sockets: HOME is not set");
}

/* A name in the folder by a path that always fits. */
static void fill_address(int folder, const char *name, struct sockaddr_un *ret_address)
{
	*ret_address = (struct sockaddr_un){.sun_family = AF_UNIX};
	(void)snprintf(ret_address->sun_path, sizeof ret_address->sun_path, "/proc/self/fd/%d/%s", folder, name);
}

static uint32_t get_length(const uint8_t head[static HEAD])
{
	return (uint32_t)head[0] << 24 | (uint32_t)head[1] << 16 | (uint32_t)head[2] << 8 | head[3];
}

static void put_length(uint32_t length, uint8_t ret_head[static HEAD])
{
	for (int i = 0; i < HEAD; i++)
		ret_head[i] = (uint8_t)(length >> (24 - 8 * i));
}

/* ---- the folder ---------------------------------------------------------------------------------------------------- */

static enum berm_code open_folder(const char *path, bool make, int *ret_fd, struct berm_err *err)
{
	if (make)
		TRY(own_folder_make(path, err));
	auto_fd int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return err_set(err, BERM_ERR_NOTFOUND, "no session runs");
	if (fd < 0)
		return err_sys(err, "open folder '%s'", path);
	TRY(own_folder_check(fd, path, err));
	*ret_fd = take_fd(&fd);
	return BERM_OK;
}

static enum berm_code connect_to(int folder, const char *name, int *ret_fd, struct berm_err *err)
{
	struct sockaddr_un address;
	auto_fd int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	fill_address(folder, name, &address);
	if (fd < 0)
		return err_sys(err, "make a socket");
	if (connect(fd, (const struct sockaddr *)&address, sizeof address) == 0) {
		*ret_fd = take_fd(&fd);
		return BERM_OK;
	}
	if (errno == ENOENT || errno == ECONNREFUSED)
		return err_set(err, BERM_ERR_NOTFOUND, "no session '%s' runs", name);
	return err_sys(err, "reach session '%s'", name);
}

static bool is_live(int folder, const char *name)
{
	struct berm_err err;
	int fd = -1;
	enum berm_code code = connect_to(folder, name, &fd, &err);
	if (fd >= 0)
		(void)close(fd);
	return code != BERM_ERR_NOTFOUND;
}

/* Sockets that nobody listens on any more. */
static void remove_stale(int folder)
{
	int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	if (dir == NULL && fd >= 0)
		(void)close(fd);
	while (dir != NULL && (entry = readdir(dir)) != NULL) /* NOLINT(concurrency-mt-unsafe): a stream of our own */
		if (entry->d_type == DT_SOCK && control_is_name(entry->d_name) && !is_live(folder, entry->d_name))
			(void)unlinkat(folder, entry->d_name, 0);
	if (dir != NULL)
		(void)closedir(dir);
}

enum berm_code control_find(const char *folder, char ret_session[static CONTROL_NAME_MAX + 1], size_t *ret_count,
			    struct berm_err *err)
{
	auto_fd int at = -1;
	const struct dirent *entry;
	size_t count = 0;
	TRY(open_folder(folder, false, &at, err));
	int fd = openat(at, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	auto_folder DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	if (dir == NULL && fd >= 0)
		(void)close(fd);
	while (dir != NULL && (entry = readdir(dir)) != NULL) { /* NOLINT(concurrency-mt-unsafe): a stream of our own */
		if (entry->d_type != DT_SOCK || !control_is_name(entry->d_name) || !is_live(at, entry->d_name))
			continue;
		memcpy(ret_session, entry->d_name, strlen(entry->d_name) + 1);
		count++;
	}
	if (count == 0)
		return err_set(err, BERM_ERR_NOTFOUND, "no session runs");
	*ret_count = count;
	return BERM_OK;
}

/* ---- life ---------------------------------------------------------------------------------------------------------- */

static enum berm_code listen_there(struct control *control, struct berm_err *err)
{
	struct sockaddr_un address;
	fill_address(control->folder, control->name, &address);
	control->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	control->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (control->listener < 0 || control->epoll < 0)
		return err_sys(err, "make a control socket");
	mode_t mask = umask(0177);
	int bound = bind(control->listener, (const struct sockaddr *)&address, sizeof address);
	int failed = errno;
	(void)umask(mask);
	errno = failed;
	if (bound < 0 && errno == EADDRINUSE) {
		control->name[0] = '\0'; /* it is not ours to remove */
		return err_set(err, BERM_ERR_LIMIT, "a session of this name runs");
	}
	struct epoll_event event = {.events = EPOLLIN};
	if (bound < 0 || listen(control->listener, CONTROL_CLIENTS) < 0 ||
	    epoll_ctl(control->epoll, EPOLL_CTL_ADD, control->listener, &event) < 0)
		return err_sys(err, "make a control socket");
	return BERM_OK;
}

enum berm_code control_open(const char *folder, const char *session, struct control **ret_control, struct berm_err *err)
{
	if (!control_is_name(session))
		return err_set(err, BERM_ERR_INVALID, "'%.70s' is no name of a session", session);
	struct control *control = calloc(1, sizeof *control);
	if (control == NULL)
		return err_set(err, BERM_ERR_NOMEM, "make a control socket");
	control->folder = control->listener = control->epoll = -1;
	for (size_t i = 0; i < CONTROL_CLIENTS; i++)
		control->clients[i].fd = -1;
	arena_init(&control->arena, NODE_MAX_MEMORY);
	enum berm_code code = open_folder(folder, true, &control->folder, err);
	if (code == BERM_OK) {
		remove_stale(control->folder);
		memcpy(control->name, session, strlen(session) + 1);
		code = listen_there(control, err);
	}
	if (code == BERM_OK)
		*ret_control = control;
	else
		control_free(control);
	return code;
}

static void client_drop(struct client *client)
{
	if (client->fd >= 0)
		(void)close(client->fd);
	buf_done(&client->body);
	*client = (struct client){.fd = -1};
}

void control_free(struct control *control)
{
	if (control == NULL)
		return;
	for (size_t i = 0; i < CONTROL_CLIENTS; i++)
		client_drop(&control->clients[i]);
	if (control->folder >= 0 && control->name[0] != '\0' && control->listener >= 0)
		(void)unlinkat(control->folder, control->name, 0);
	int *const fds[] = {&control->listener, &control->epoll, &control->folder};
	for (size_t i = 0; i < ARRAY_LEN(fds); i++)
		if (*fds[i] >= 0)
			(void)close(*fds[i]);
	arena_done(&control->arena);
	free(control);
}

int control_fd(const struct control *control)
{
	return control->epoll;
}

int control_timeout_ms(const struct control *control)
{
	int64_t soonest = -1, now = ev_now_ms();
	for (size_t i = 0; i < CONTROL_CLIENTS; i++) {
		int64_t left = control->clients[i].until_ms - now;
		if (control->clients[i].fd >= 0 && (soonest < 0 || left < soonest))
			soonest = left > 0 ? left : 0;
	}
	return (int)soonest;
}

/* ---- who asks ------------------------------------------------------------------------------------------------------ */

static pid_t parent_of(pid_t pid)
{
	char path[32], text[512];
	(void)snprintf(path, sizeof path, "/proc/%d/stat", pid);
	if (fd_read_file(AT_FDCWD, path, text, sizeof text) <= 0)
		return 0;
	const char *end = strrchr(text, ')'); /* of the name, which may hold anything */
	return end != NULL && end[1] == ' ' && end[2] != '\0' ? (pid_t)strtol(end + 3, NULL, 10) : 0;
}

/* The same user, and nobody from inside the sandbox: they have the same user. */
static bool is_welcome(int fd, struct ucred *ret_peer)
{
	struct ucred who = {0};
	socklen_t len = sizeof who;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) < 0 || who.uid != geteuid() || who.pid <= 0)
		return false;
	*ret_peer = who;
	pid_t pid = who.pid;
	for (int i = 0; i < ANCESTORS && pid > 1; i++) {
		if (i > 0 && pid == getpid())
			return false;
		pid = parent_of(pid);
	}
	return pid <= 1;
}

static void take_client(struct control *control)
{
	struct ucred peer = {0};
	int fd = accept4(control->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd < 0)
		return;
	struct epoll_event event = {.events = EPOLLIN};
	for (size_t i = 0; i < CONTROL_CLIENTS && is_welcome(fd, &peer); i++) {
		struct client *client = &control->clients[i];
		if (client->fd >= 0)
			continue;
		if (epoll_ctl(control->epoll, EPOLL_CTL_ADD, fd, &event) < 0)
			break;
		*client = (struct client){.fd = fd, .peer = peer, .until_ms = ev_now_ms() + CONTROL_DEADLINE_MS};
		return;
	}
	(void)close(fd); /* not welcome, or too many at once */
}

/* ---- a request ----------------------------------------------------------------------------------------------------- */

/* Reads once. 1: something came; 0: nothing yet; -1: nothing more. */
static int read_some(struct client *client, void *ret_bytes, size_t len)
{
	ssize_t n = read(client->fd, ret_bytes, len);
	if (n <= 0)
		return n < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : -1;
	client->got += (size_t)n;
	return 1;
}

/* 1: it is whole; 0: more is to come; -1: it is nothing. */
static int client_read(struct client *client)
{
	if (client->got < HEAD) {
		int some = read_some(client, client->head + client->got, HEAD - client->got);
		if (some <= 0 || client->got < HEAD)
			return some < 0 ? -1 : 0;
		client->len = get_length(client->head);
		if (client->len == 0 || client->len > CONTROL_MAX)
			return -1;
		buf_init(&client->body, CONTROL_MAX);
	}
	char part[4096];
	size_t left = HEAD + client->len - client->got;
	size_t before = client->got;
	int some = read_some(client, part, left < sizeof part ? left : sizeof part);
	if (some <= 0)
		return some;
	buf_put(&client->body, part, client->got - before);
	return client->body.failed ? -1 : client->got == HEAD + client->len;
}

static const char *text_of(const struct node *root, const char *key, struct str *ret_text)
{
	const struct node *node = node_find(root, key);
	if (node == NULL || node->kind != NODE_TEXT)
		return NULL;
	*ret_text = node->text;
	return node->text.ptr;
}

static bool parse_request(struct control *control, const struct client *client, struct control_request *ret_request)
{
	static const char *const keys[] = {"op", "file", "text"};
	const struct node *root;
	struct str text = buf_str(&client->body), unused;
	arena_done(&control->arena);
	control->problems.count = 0;
	if (text.ptr[0] != '{' ||
	    node_parse(&control->arena, text, "request", &root, &control->problems, NULL) != BERM_OK ||
	    root->kind != NODE_MAP || root->count != ARRAY_LEN(keys))
		return false;
	ret_request->op = text_of(root, keys[0], &unused);
	ret_request->file = text_of(root, keys[1], &unused);
	return text_of(root, keys[2], &ret_request->text) != NULL && ret_request->op != NULL &&
	       ret_request->file != NULL;
}

/* Waits as long as an answer may take, no longer. */
static bool send_all(int fd, const void *bytes, size_t len)
{
	int64_t until = ev_now_ms() + CONTROL_DEADLINE_MS;
	const char *at = bytes;
	while (len > 0) {
		ssize_t n = send(fd, at, len, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n > 0) {
			at += n;
			len -= (size_t)n;
			continue;
		}
		int64_t left = until - ev_now_ms();
		struct pollfd wait = {.fd = fd, .events = POLLOUT};
		if (n == 0 || (errno != EAGAIN && errno != EINTR) || left <= 0 || poll(&wait, 1, (int)left) == 0)
			return false;
	}
	return true;
}

static bool send_message(int fd, struct str json)
{
	uint8_t head[HEAD];
	put_length((uint32_t)json.len, head);
	return json.len <= CONTROL_MAX && send_all(fd, head, sizeof head) && send_all(fd, json.ptr, json.len);
}

void control_answer(struct control *control, struct str json)
{
	if (control->asking == NULL)
		return;
	(void)send_message(control->asking->fd, json); /* who does not wait for it gets none */
	client_drop(control->asking);
	control->asking = NULL;
	arena_done(&control->arena);
}

static void serve_client(struct control *control, struct client *client, struct control_request *ret_request)
{
	int whole;
	size_t before;
	do {
		before = client->got;
		whole = client_read(client);
	} while (whole == 0 && client->got > before);
	if (whole < 0 || (whole == 0 && ev_now_ms() >= client->until_ms)) {
		client_drop(client);
		return;
	}
	if (whole == 0)
		return;
	control->asking = client;
	(void)snprintf(control->who, sizeof control->who, "uid %u, pid %d", client->peer.uid, (int)client->peer.pid);
	ret_request->who = control->who;
	if (!parse_request(control, client, ret_request))
		control_answer(control, STR("{\"ok\":false,\"error\":\"not a request\"}"));
}

bool control_next(struct control *control, struct control_request *ret_request)
{
	struct pollfd wait = {.fd = control->listener, .events = POLLIN};
	if (poll(&wait, 1, 0) > 0)
		take_client(control);
	for (size_t i = 0; i < CONTROL_CLIENTS; i++) {
		if (control->clients[i].fd >= 0)
			serve_client(control, &control->clients[i], ret_request);
		if (control->asking != NULL)
			return true;
	}
	return false;
}

/* ---- the other side ------------------------------------------------------------------------------------------------ */

static enum berm_code read_all(int fd, void *ret_bytes, size_t len, int64_t until, struct berm_err *err)
{
	char *at = ret_bytes;
	while (len > 0) {
		struct pollfd wait = {.fd = fd, .events = POLLIN};
		int64_t rest = until - ev_now_ms();
		if (rest <= 0 || poll(&wait, 1, (int)rest) == 0)
			return err_set(err, BERM_ERR_TIMEOUT, "the session does not answer");
		ssize_t n = read(fd, at, len);
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n <= 0)
			return err_set(err, BERM_ERR_CLOSED, "the session hung up");
		at += n;
		len -= (size_t)n;
	}
	return BERM_OK;
}

static enum berm_code hear_answer(int fd, struct buf *answer, struct berm_err *err)
{
	uint8_t head[HEAD] = {0};
	char part[4096];
	int64_t until = ev_now_ms() + ANSWER_DEADLINE_MS;
	TRY(read_all(fd, head, sizeof head, until, err));
	for (size_t left = get_length(head); left > 0;) {
		size_t len = left < sizeof part ? left : sizeof part;
		TRY(read_all(fd, part, len, until, err));
		buf_put(answer, part, len);
		left -= len;
	}
	return buf_check(answer, err);
}

enum berm_code control_ask(const char *folder, const char *session, const struct control_request *request,
			   struct buf *answer, struct berm_err *err)
{
	auto_fd int at = -1;
	auto_fd int fd = -1;
	auto_buf struct buf text = {0};
	struct json_out json;
	if (!control_is_name(session))
		return err_set(err, BERM_ERR_INVALID, "'%.70s' is no name of a session", session);
	TRY(open_folder(folder, false, &at, err));
	TRY(connect_to(at, session, &fd, err));
	buf_init(&text, CONTROL_MAX);
	json_init(&json, &text);
	json_object(&json, NULL);
	json_text(&json, "op", str_from(request->op));
	json_text(&json, "file", str_from(request->file));
	json_text(&json, "text", request->text);
	json_object_end(&json);
	TRY(buf_check(&text, err));
	if (!send_message(fd, (struct str){text.data, text.len}))
		return err_set(err, BERM_ERR_CLOSED, "the session does not listen");
	return hear_answer(fd, answer, err);
}
