#include "session/registries.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/env.h"
#include "base/own.h"
#include "format/path.h"
#include "format/registry_files.h"
#include "os/fd.h"

enum {
	FILE_MAX = 256 * 1024,
	HOSTS_MAX = 64,	  /* of a tool */
	FOLDER_MAX = 256, /* files of a folder that are looked at */
	MEMORY_MAX = 1 << 20,
	ENVIRONMENT_MAX = 4,
};

const char *const registry_variables[REGISTRY_TOOLS] = {
	[REGISTRY_NPM] = "NPM_REGISTRIES",	 [REGISTRY_PIP] = "PIP_INDEXES",
	[REGISTRY_CARGO] = "CARGO_REGISTRIES",	 [REGISTRY_GO] = "GO_PROXIES",
	[REGISTRY_MAVEN] = "MAVEN_REPOSITORIES", [REGISTRY_APT] = "APT_MIRRORS",
};

struct tool {
	const char *hosts[HOSTS_MAX + 1];
	size_t count;
	bool set[REGISTRY_ROLES]; /* a stronger source has said it */
	char main[REGISTRY_URL_MAX];
	struct buf extra; /* addresses beside it, a space between */
};
struct registries {
	struct arena arena;
	const struct registries_request *request; /* while reading */
	struct tool tools[REGISTRY_TOOLS];
	char go_proxy[REGISTRY_URL_MAX]; /* GOPROXY of go's strongest file that has it; "": none has */
	const char *environment[ENVIRONMENT_MAX + 1];
};

static const char *variable_get(const struct registries *r, const char *name)
{
	return r->request->envp != NULL ? env_get(r->request->envp, name) : NULL;
}

/* ---- hosts ------------------------------------------------------------------------------------------------------- */

/* Further hosts of a registry, which its tools are sent to. */
static const struct companion {
	const char *host, *other;
} companions[] = {
	{"pypi.org", "files.pythonhosted.org"},
	{"index.crates.io", "static.crates.io"},
	{"index.crates.io", "crates.io"},
	{"repo.maven.apache.org", "repo1.maven.org"},
	{"registry.npmjs.org", "registry.yarnpkg.com"},
};

static const char *const defaults[REGISTRY_TOOLS][REGISTRY_ROLES] = {
	[REGISTRY_NPM] = {[REGISTRY_MAIN] = "https://registry.npmjs.org/"},
	[REGISTRY_PIP] = {[REGISTRY_MAIN] = "https://pypi.org/simple"},
	[REGISTRY_CARGO] = {[REGISTRY_MAIN] = "https://index.crates.io/"},
	[REGISTRY_GO] = {[REGISTRY_MAIN] = "https://proxy.golang.org", [REGISTRY_SUMS] = "https://sum.golang.org"},
	[REGISTRY_MAVEN] = {[REGISTRY_MAIN] = "https://repo.maven.apache.org/maven2"},
};

/* False: memory is out. Hosts that are too many are left out. */
static bool add_host(struct registries *r, struct tool *tool, const char *host)
{
	for (size_t i = 0; i < tool->count; i++)
		if (strcmp(tool->hosts[i], host) == 0)
			return true;
	if (tool->count == HOSTS_MAX)
		return true;
	const char *copy = arena_text(&r->arena, str_from(host));
	if (copy == NULL)
		return false;
	tool->hosts[tool->count++] = copy;
	for (size_t i = 0; i < ARRAY_LEN(companions); i++)
		if (strcmp(host, companions[i].host) == 0 && tool->count < HOSTS_MAX)
			tool->hosts[tool->count++] = companions[i].other;
	return true;
}

static bool add_url(struct registries *r, struct tool *tool, enum registry_role role, struct str url)
{
	char host[REGISTRY_HOST_MAX], plain[REGISTRY_URL_MAX];
	if (!registry_url_host(url, host)) /* a folder, say */
		return true;
	if (registry_url_plain(url, plain)) {
		if (role == REGISTRY_MAIN && tool->main[0] == '\0')
			memcpy(tool->main, plain, sizeof plain);
		else
			buf_printf(&tool->extra, "%s%s", tool->extra.len > 0 ? " " : "", plain);
	}
	return add_host(r, tool, host);
}

/* ---- one source -------------------------------------------------------------------------------------------------- */

/* What one file or variable says; it counts only if all of it could be read. */
struct source {
	const struct registries *r;
	struct found {
		enum registry_role role;
		uint16_t at, len; /* in text */
	} found[HOSTS_MAX];
	size_t count;
	bool says[REGISTRY_ROLES];
	char text[8 * 1024];
	size_t text_len;
};

static bool source_add(void *context, enum registry_role role, struct str url)
{
	struct source *source = context;
	source->says[role] = true;
	if (url.len == 0)
		return true;
	if (source->count == HOSTS_MAX || url.len > sizeof source->text - source->text_len)
		return false;
	memcpy(source->text + source->text_len, url.ptr, url.len);
	source->found[source->count++] = (struct found){role, (uint16_t)source->text_len, (uint16_t)url.len};
	source->text_len += url.len;
	return true;
}

static struct str source_variable(void *context, struct str name)
{
	const struct source *source = context;
	char text[128];
	if (name.len >= sizeof text)
		return STR("");
	memcpy(text, name.ptr, name.len);
	text[name.len] = '\0';
	const char *value = variable_get(source->r, text);
	return value != NULL ? str_from(value) : STR("");
}

/* A stronger source has the word about what stands in for a tool's own; what is beside it adds up. */
static bool source_apply(struct registries *r, struct tool *tool, const struct source *source)
{
	for (size_t i = 0; i < source->count; i++) {
		const struct found *found = &source->found[i];
		struct str url = {source->text + found->at, found->len};
		if (!tool->set[found->role] && !add_url(r, tool, found->role, url))
			return false;
	}
	for (size_t role = 0; role < REGISTRY_EXTRA; role++)
		tool->set[role] |= source->says[role];
	return true;
}

/* ---- files ------------------------------------------------------------------------------------------------------- */

/* Does it lie in the workspace, wherever links led? Then what runs there may have written it. */
__attribute__((noinline)) static bool is_of_workspace(const struct registries *r, int fd)
{
	char link[32], real[PATH_MAX];
	(void)snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	ssize_t len = readlink(link, real, sizeof real);
	return len <= 0 || (r->request->workspace != NULL &&
			    path_is_in((struct str){real, (size_t)len}, str_from(r->request->workspace)));
}

static int open_trusted(const struct registries *r, const char *path)
{
	struct stat st = {0};
	auto_fd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	bool trusted = fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size <= FILE_MAX &&
		       (st.st_uid == 0 || st.st_uid == geteuid()) && (st.st_mode & S_IWOTH) == 0;
	return trusted && !is_of_workspace(r, fd) ? take_fd(&fd) : -1;
}

/* The list is told on as a whole: what stands between its addresses says when the next one is asked. */
static void keep_go_proxy(struct registries *r, struct str text)
{
	struct str value = registry_go_env_value(text, STR("GOPROXY"));
	if (r->go_proxy[0] != '\0' || value.len >= sizeof r->go_proxy)
		return;
	memcpy(r->go_proxy, value.ptr, value.len);
	r->go_proxy[value.len] = '\0';
}

/* False: memory is out. */
static bool read_file(struct registries *r, enum registry_tool tool, const char *path, registry_reader reader)
{
	auto_fd int fd = open_trusted(r, path);
	if (fd < 0)
		return true;
	auto_free char *text = malloc(FILE_MAX + 1);
	auto_free struct source *source = calloc(1, sizeof(*source));
	if (text == NULL || source == NULL)
		return false;
	source->r = r;
	const struct registry_sink sink = {source, source_add, source_variable};
	ssize_t len = fd_read_full(fd, text, FILE_MAX + 1);
	bool read = len >= 0 && len <= FILE_MAX && memchr(text, '\0', (size_t)len) == NULL &&
		    reader((struct str){text, (size_t)len}, &sink);
	if (read && reader == registry_read_go_env)
		keep_go_proxy(r, (struct str){text, (size_t)len});
	return !read || source_apply(r, &r->tools[tool], source);
}

enum base { BASE_SYSTEM = 0, BASE_HOME, BASE_CONFIG, BASE_VARIABLE };

/* The strongest first, for each tool. */
static const struct place {
	enum registry_tool tool;
	enum base base;
	const char *
		variable; /* BASE_VARIABLE: if it is set, it and path are the file; else below the home folder, fallback */
	const char *path, *fallback;
	registry_reader reader;
} places[] = {
	{REGISTRY_NPM, BASE_VARIABLE, "npm_config_userconfig", "", ".npmrc", registry_read_npmrc},
	{REGISTRY_NPM, BASE_CONFIG, NULL, "pnpm/rc", NULL, registry_read_npmrc},
	{REGISTRY_NPM, BASE_HOME, NULL, ".yarnrc.yml", NULL, registry_read_yarnrc},
	{REGISTRY_NPM, BASE_HOME, NULL, ".yarnrc", NULL, registry_read_yarnrc},
	{REGISTRY_NPM, BASE_VARIABLE, "npm_config_globalconfig", "", NULL, registry_read_npmrc},
	{REGISTRY_NPM, BASE_SYSTEM, NULL, "/usr/local/etc/npmrc", NULL, registry_read_npmrc},
	{REGISTRY_NPM, BASE_SYSTEM, NULL, "/usr/etc/npmrc", NULL, registry_read_npmrc},
	{REGISTRY_NPM, BASE_SYSTEM, NULL, "/etc/npmrc", NULL, registry_read_npmrc},
	{REGISTRY_PIP, BASE_VARIABLE, "PIP_CONFIG_FILE", "", NULL, registry_read_pip_conf},
	{REGISTRY_PIP, BASE_VARIABLE, "UV_CONFIG_FILE", "", NULL, registry_read_uv_toml},
	{REGISTRY_PIP, BASE_CONFIG, NULL, "pip/pip.conf", NULL, registry_read_pip_conf},
	{REGISTRY_PIP, BASE_HOME, NULL, ".pip/pip.conf", NULL, registry_read_pip_conf},
	{REGISTRY_PIP, BASE_CONFIG, NULL, "uv/uv.toml", NULL, registry_read_uv_toml},
	{REGISTRY_PIP, BASE_SYSTEM, NULL, "/etc/xdg/pip/pip.conf", NULL, registry_read_pip_conf},
	{REGISTRY_PIP, BASE_SYSTEM, NULL, "/etc/pip.conf", NULL, registry_read_pip_conf},
	{REGISTRY_PIP, BASE_SYSTEM, NULL, "/etc/uv/uv.toml", NULL, registry_read_uv_toml},
	{REGISTRY_CARGO, BASE_VARIABLE, "CARGO_HOME", "/config", ".cargo/config", registry_read_cargo_config},
	{REGISTRY_CARGO, BASE_VARIABLE, "CARGO_HOME", "/config.toml", ".cargo/config.toml", registry_read_cargo_config},
	{REGISTRY_GO, BASE_VARIABLE, "GOENV", "", NULL, registry_read_go_env},
	{REGISTRY_GO, BASE_CONFIG, NULL, "go/env", NULL, registry_read_go_env},
	{REGISTRY_GO, BASE_VARIABLE, "GOROOT", "/go.env", NULL, registry_read_go_env},
	{REGISTRY_GO, BASE_SYSTEM, NULL, "/usr/local/go/go.env", NULL, registry_read_go_env},
	{REGISTRY_GO, BASE_SYSTEM, NULL, "/usr/lib/go/go.env", NULL, registry_read_go_env},
	{REGISTRY_MAVEN, BASE_HOME, NULL, ".m2/settings.xml", NULL, registry_read_maven_settings},
	{REGISTRY_MAVEN, BASE_VARIABLE, "MAVEN_HOME", "/conf/settings.xml", NULL, registry_read_maven_settings},
	{REGISTRY_MAVEN, BASE_SYSTEM, NULL, "/etc/maven/settings.xml", NULL, registry_read_maven_settings},
	{REGISTRY_APT, BASE_SYSTEM, NULL, "/etc/apt/sources.list", NULL, registry_read_apt_list},
};

static bool join(char ret[static PATH_MAX], const char *folder, const char *between, const char *path)
{
	int len = folder != NULL ? snprintf(ret, PATH_MAX, "%s%s%s", folder, between, path) : -1;
	return len > 0 && len < PATH_MAX && ret[0] == '/';
}

static bool place_path(const struct registries *r, const struct place *place, char ret[static PATH_MAX])
{
	const struct registries_request *request = r->request;
	const char *value;
	switch (place->base) {
	case BASE_SYSTEM:
		return join(ret, request->root != NULL ? request->root : "", "", place->path);
	case BASE_HOME:
		return join(ret, request->home, "/", place->path);
	case BASE_CONFIG:
		value = variable_get(r, "XDG_CONFIG_HOME");
		return value != NULL && value[0] == '/' ? join(ret, value, "/", place->path)
							: join(ret, request->home, "/.config/", place->path);
	case BASE_VARIABLE:
	default:
		value = variable_get(r, place->variable);
		if (value != NULL && value[0] == '/')
			return join(ret, value, "", place->path);
		return place->fallback != NULL && join(ret, request->home, "/", place->fallback);
	}
}

__attribute__((noinline)) static bool read_place(struct registries *r, const struct place *place)
{
	char path[PATH_MAX];
	return !place_path(r, place, path) || read_file(r, place->tool, path, place->reader);
}

/* "*.list" and "*.sources", as apt reads them. */
__attribute__((noinline)) static bool read_apt_file(struct registries *r, const char *folder, const char *name)
{
	static const struct {
		const char *end;
		registry_reader reader;
	} kinds[] = {{".list", registry_read_apt_list}, {".sources", registry_read_apt_sources}};
	char path[PATH_MAX];
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (str_ends(str_from(name), str_from(kinds[i].end)) && join(path, folder, "/", name))
			return read_file(r, REGISTRY_APT, path, kinds[i].reader);
	return true;
}

__attribute__((noinline)) static bool read_apt_folder(struct registries *r)
{
	char path[PATH_MAX];
	const struct dirent *entry;
	if (!join(path, r->request->root != NULL ? r->request->root : "", "", "/etc/apt/sources.list.d"))
		return true;
	auto_folder DIR *folder = opendir(path);
	if (folder == NULL)
		return true;
	bool ok = true;
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): a stream of our own */
	for (int i = 0; ok && i < FOLDER_MAX && (entry = readdir(folder)) != NULL; i++) {
		r->tools[REGISTRY_APT].set[REGISTRY_MAIN] = false; /* all of them count */
		ok = read_apt_file(r, path, entry->d_name);
	}
	return ok;
}

/* ---- variables --------------------------------------------------------------------------------------------------- */

enum kind { KIND_URL = 0, KIND_WORDS, KIND_GOPROXY, KIND_GOSUMDB };

static const struct variable {
	enum registry_tool tool;
	const char *name;
	enum registry_role role;
	enum kind kind;
} variables[] = {
	{REGISTRY_NPM, "npm_config_registry", REGISTRY_MAIN, KIND_URL},
	{REGISTRY_NPM, "NPM_CONFIG_REGISTRY", REGISTRY_MAIN, KIND_URL},
	{REGISTRY_NPM, "YARN_NPM_REGISTRY_SERVER", REGISTRY_EXTRA, KIND_URL},
	{REGISTRY_PIP, "PIP_INDEX_URL", REGISTRY_MAIN, KIND_URL},
	{REGISTRY_PIP, "UV_DEFAULT_INDEX", REGISTRY_MAIN, KIND_WORDS},
	{REGISTRY_PIP, "UV_INDEX_URL", REGISTRY_MAIN, KIND_URL},
	{REGISTRY_PIP, "PIP_EXTRA_INDEX_URL", REGISTRY_EXTRA, KIND_WORDS},
	{REGISTRY_PIP, "PIP_FIND_LINKS", REGISTRY_EXTRA, KIND_WORDS},
	{REGISTRY_PIP, "UV_INDEX", REGISTRY_EXTRA, KIND_WORDS},
	{REGISTRY_PIP, "UV_EXTRA_INDEX_URL", REGISTRY_EXTRA, KIND_WORDS},
	{REGISTRY_PIP, "UV_FIND_LINKS", REGISTRY_EXTRA, KIND_WORDS},
	{REGISTRY_GO, "GOPROXY", REGISTRY_MAIN, KIND_GOPROXY},
	{REGISTRY_GO, "GOSUMDB", REGISTRY_SUMS, KIND_GOSUMDB},
};

static bool read_value(const struct variable *row, struct str value, const struct registry_sink *sink)
{
	switch (row->kind) {
	case KIND_URL:
		return registry_read_url(value, row->role, sink);
	case KIND_WORDS:
		return registry_read_words(value, row->role, sink);
	case KIND_GOPROXY:
		return registry_read_goproxy(value, sink);
	case KIND_GOSUMDB:
	default:
		return registry_read_gosumdb(value, sink);
	}
}

static bool read_named(struct registries *r, const struct variable *row, const char *value)
{
	auto_free struct source *source = calloc(1, sizeof(*source));
	if (source == NULL)
		return false;
	source->r = r;
	const struct registry_sink sink = {source, source_add, source_variable};
	return !read_value(row, str_from(value), &sink) || source_apply(r, &r->tools[row->tool], source);
}

static bool read_variable(struct registries *r, const struct variable *row)
{
	const char *value = variable_get(r, row->name);
	return value == NULL || value[0] == '\0' || read_named(r, row, value);
}

/* CARGO_REGISTRIES_<NAME>_INDEX. */
static bool read_cargo_variables(struct registries *r)
{
	static const struct variable index = {REGISTRY_CARGO, "", REGISTRY_EXTRA, KIND_URL};
	for (const char *const *entry = r->request->envp; entry != NULL && *entry != NULL; entry++) {
		struct str name = {*entry, strcspn(*entry, "=")};
		bool ours = str_starts(name, STR("CARGO_REGISTRIES_")) && str_ends(name, STR("_INDEX"));
		if (ours && (*entry)[name.len] == '=' && !read_named(r, &index, *entry + name.len + 1))
			return false;
	}
	return true;
}

/* ---- all of it --------------------------------------------------------------------------------------------------- */

static bool add_defaults(struct registries *r)
{
	for (size_t tool = 0; tool < REGISTRY_TOOLS; tool++)
		for (size_t role = 0; role < REGISTRY_ROLES; role++) {
			char host[REGISTRY_HOST_MAX];
			const char *url = r->tools[tool].set[role] ? NULL : defaults[tool][role];
			if (url != NULL && registry_url_host(str_from(url), host) &&
			    !add_host(r, &r->tools[tool], host))
				return false;
		}
	return true;
}

static bool set_variable(struct registries *r, const char *name, const char *value)
{
	size_t count = 0;
	char text[2 * REGISTRY_URL_MAX];
	int len = snprintf(text, sizeof text, "%s=%s", name, value);
	if (value[0] == '\0' || variable_get(r, name) != NULL || len >= (int)sizeof text)
		return true;
	while (r->environment[count] != NULL)
		count++;
	r->environment[count] = arena_text(&r->arena, str_from(text));
	return r->environment[count] != NULL;
}

/* What the closed files say, and which proxies follow behind the machine's cache of go. */
static bool make_environment(struct registries *r)
{
	const struct tool *npm = &r->tools[REGISTRY_NPM], *pip = &r->tools[REGISTRY_PIP];
	const char *go = r->go_proxy[0] != '\0' ? r->go_proxy : "https://proxy.golang.org,direct";
	return set_variable(r, "npm_config_registry", npm->main) && set_variable(r, "PIP_INDEX_URL", pip->main) &&
	       set_variable(r, "PIP_EXTRA_INDEX_URL", pip->extra.len > 0 ? pip->extra.data : "") &&
	       set_variable(r, "GOPROXY", go);
}

static bool read_all(struct registries *r)
{
	for (size_t i = 0; i < ARRAY_LEN(variables); i++)
		if (!read_variable(r, &variables[i]))
			return false;
	for (size_t i = 0; i < ARRAY_LEN(places); i++)
		if (!read_place(r, &places[i]))
			return false;
	return read_cargo_variables(r) && read_apt_folder(r) && add_defaults(r) && make_environment(r);
}

enum berm_code registries_read(const struct registries_request *request, struct registries **ret_registries,
			       struct berm_err *err)
{
	struct registries *r = calloc(1, sizeof(*r));
	if (r == NULL)
		return err_set(err, BERM_ERR_NOMEM, "read the registries of the machine's tools");
	arena_init(&r->arena, MEMORY_MAX);
	r->request = request;
	for (size_t i = 0; i < REGISTRY_TOOLS; i++)
		buf_init(&r->tools[i].extra, REGISTRY_URL_MAX);
	bool ok = read_all(r);
	r->request = NULL;
	if (!ok) {
		registries_free(r);
		return err_set(err, BERM_ERR_NOMEM, "read the registries of the machine's tools");
	}
	*ret_registries = r;
	return BERM_OK;
}

void registries_free(struct registries *registries)
{
	if (registries == NULL)
		return;
	for (size_t i = 0; i < REGISTRY_TOOLS; i++)
		buf_done(&registries->tools[i].extra);
	arena_done(&registries->arena);
	free(registries);
}

const char *const *registries_hosts(const struct registries *registries, enum registry_tool tool)
{
	return registries->tools[tool].hosts;
}

const char *const *registries_values(const struct registries *registries, const char *variable)
{
	for (size_t i = 0; i < REGISTRY_TOOLS; i++)
		if (strcmp(variable, registry_variables[i]) == 0)
			return registries->tools[i].hosts;
	return NULL;
}

const char *const *registries_environment(const struct registries *registries)
{
	return registries->environment;
}
