#include "session/sources.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/env.h"
#include "base/own.h"
#include "base/vec.h"
#include "format/nearest.h"
#include "format/path.h"
#include "os/fd.h"
#include "policy/builtin.h"
#include "policy/input.h"
#include "policy/load.h"
#include "session/consent.h"
#include "session/policy_file.h"

enum {
	MAX_MEMORY = 256 * 1024 * 1024,
	MAX_FILES = 1024, /* of one folder, and in use */
	MAX_NAMES = 16,	  /* of -p */
	KINDS = 2,	  /* profiles and groups */
};
static const char system_folder[] = "/etc/berm/policy.d";
static const char project_file[] = ".berm.yaml";
static const char yaml_end[] = ".yaml";

/* A profile or group of the user's: its name, and the document once it was read. */
struct own {
	const char *name;
	const struct policy_doc *doc;
	bool broken;
};

struct sources {
	struct arena arena;
	const struct sources_request *request;
	struct problems *problems; /* while it is opened */
	struct berm_err *err;
	const char *config, *state, *runtime;
	int config_fd;
	struct vec own[KINDS];		   /* of struct own, sorted by name */
	struct vec files;		   /* of const char * */
	struct vec system, user, profiles; /* of const struct policy_doc *, NULL-terminated at the end */
	const struct policy_doc *project;
	const char *profile;
	bool by_program, unaccepted;
	struct policy_layers layers;
	/* A file that the finder could not read while a policy is made. */
	struct berm_err failure;
};

static enum berm_code no_memory(struct berm_err *err)
{
	return err_set(err, BERM_ERR_NOMEM, "read policies");
}

static enum berm_code text_of(struct sources *sources, const char *front, const char *rest, const char **ret_text)
{
	struct str one = str_from(front), other = str_from(rest);
	char *text = arena_alloc(&sources->arena, one.len + other.len + 1);
	if (text == NULL)
		return no_memory(sources->err);
	memcpy(text, one.ptr, one.len);
	memcpy(text + one.len, other.ptr, other.len);
	*ret_text = text;
	return BERM_OK;
}

/* ---- folders ----------------------------------------------------------------------------------------------------- */

static const char *absolute(const char *path)
{
	return path != NULL && path[0] == '/' ? path : NULL;
}

static const char *environment(const struct sources_request *request, const char *name)
{
	return request->envp != NULL ? env_get(request->envp, name) : NULL;
}

/* $OWN, or $XDG/berm, or ~/REST; NULL: there is none. */
static enum berm_code find_folder(struct sources *sources, const char *own, const char *xdg, const char *rest,
				  const char **ret_folder)
{
	const struct sources_request *request = sources->request;
	const char *given = absolute(environment(request, own)), *base = absolute(environment(request, xdg));
	const char *home = absolute(request->home);
	if (given != NULL)
		return text_of(sources, given, "", ret_folder);
	if (base != NULL)
		return text_of(sources, base, "/berm", ret_folder);
	return home != NULL ? text_of(sources, strcmp(home, "/") == 0 ? "" : home, rest, ret_folder) : BERM_OK;
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

struct wanted_file {
	int folder;
	const char *name, *shown;
	enum policy_file_trust trust;
	enum policy_doc_kind kind;
};

/* Errors: those of policy_file_read and policy_load. */
static enum berm_code read_doc(struct sources *sources, const struct wanted_file *file,
			       const struct policy_doc **ret_doc, struct berm_err *err)
{
	auto_buf struct buf text;
	buf_init(&text, POLICY_FILE_MAX_BYTES);
	const struct policy_from from = {.kind = file->kind, .file = file->shown};
	TRY(policy_file_read(file->folder, file->name, file->shown, file->trust, &text, err));
	TRY(vec_push(&sources->files, &file->shown, err));
	return policy_load(&sources->arena, from, buf_str(&text), ret_doc, sources->problems, err);
}

/* The names in a folder that end in ".yaml", sorted; names begin with no dot. */
static int compare_own(const void *a, const void *b)
{
	return strcmp(((const struct own *)a)->name, ((const struct own *)b)->name);
}

static enum berm_code add_name(struct sources *sources, struct vec *names, const char *file)
{
	size_t len = strlen(file), end = sizeof yaml_end - 1;
	struct own own = {.name = NULL};
	if (file[0] == '.' || len <= end || strcmp(file + len - end, yaml_end) != 0)
		return BERM_OK;
	if ((own.name = arena_text(&sources->arena, (struct str){file, len - end})) == NULL)
		return no_memory(sources->err);
	return vec_push(names, &own, sources->err);
}

/* Takes fd. */
static enum berm_code list_names(struct sources *sources, int fd, struct vec *names)
{
	auto_folder DIR *folder = fdopendir(fd);
	const struct dirent *entry;
	if (folder == NULL) {
		(void)close(fd);
		return err_set(sources->err, BERM_ERR_NOMEM, "list policies");
	}
	while ((entry = readdir(folder)) != NULL) /* NOLINT(concurrency-mt-unsafe): a stream of our own */
		TRY(add_name(sources, names, entry->d_name));
	if (names->len > 1)
		qsort(names->items, names->len, names->item_size, compare_own);
	return BERM_OK;
}

/* ---- the system's ------------------------------------------------------------------------------------------------ */

static enum policy_file_trust system_trust(const struct sources *sources)
{
	return sources->request->system_folder != NULL ? POLICY_FILE_OWN : POLICY_FILE_SYSTEM;
}

static enum berm_code read_system_file(struct sources *sources, int folder, const char *path, const char *name)
{
	const struct policy_doc *doc = NULL;
	const char *base = NULL, *shown = NULL;
	char file[NAME_MAX + 1];
	(void)snprintf(file, sizeof file, "%s%s", name, yaml_end);
	TRY(text_of(sources, path, "/", &base));
	TRY(text_of(sources, base, file, &shown));
	const struct wanted_file wanted = {folder, file, shown, system_trust(sources), POLICY_DOC_FILE};
	TRY(read_doc(sources, &wanted, &doc, sources->err));
	return vec_push(&sources->system, &doc, sources->err);
}

static enum berm_code read_system(struct sources *sources)
{
	const char *path = sources->request->system_folder;
	path = path != NULL ? path : system_folder;
	auto_fd int fd = -1;
	auto_vec struct vec names;
	vec_init(&names, sizeof(struct own), MAX_FILES);
	struct berm_err failure;
	enum berm_code code = policy_file_open_folder(path, system_trust(sources), &fd, &failure);
	if (code == BERM_ERR_NOTFOUND)
		return BERM_OK;
	if (code != BERM_OK)
		return err_set(sources->err, code, "%s", failure.msg);
	int listed = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (listed < 0)
		return err_sys(sources->err, "list '%.160s'", path);
	TRY(list_names(sources, listed, &names));
	for (size_t i = 0; i < names.len; i++)
		TRY(read_system_file(sources, fd, path, ((const struct own *)vec_at(&names, i))->name));
	return BERM_OK;
}

/* ---- the user's -------------------------------------------------------------------------------------------------- */

static const char *const kind_folders[KINDS] = {"profiles", "groups"};

static size_t kind_index(enum policy_doc_kind kind)
{
	return kind == POLICY_DOC_GROUP ? 1 : 0;
}

static enum berm_code list_own(struct sources *sources, size_t kind)
{
	char path[PATH_MAX];
	int fd = -1;
	struct berm_err failure;
	int len = snprintf(path, sizeof path, "%s/%s", sources->config, kind_folders[kind]);
	if (len < 0 || (size_t)len >= sizeof path)
		return err_set(sources->err, BERM_ERR_LIMIT, "too long: '%.100s'", sources->config);
	enum berm_code code = policy_file_open_folder(path, POLICY_FILE_OWN, &fd, &failure);
	if (code == BERM_ERR_NOTFOUND)
		return BERM_OK;
	if (code != BERM_OK)
		return err_set(sources->err, code, "%s", failure.msg);
	return list_names(sources, fd, &sources->own[kind]);
}

static enum berm_code open_config(struct sources *sources)
{
	struct berm_err failure;
	if (sources->config == NULL)
		return BERM_OK;
	enum berm_code code = policy_file_open_folder(sources->config, POLICY_FILE_OWN, &sources->config_fd, &failure);
	if (code == BERM_ERR_NOTFOUND)
		return BERM_OK;
	if (code != BERM_OK)
		return err_set(sources->err, code, "%s", failure.msg);
	for (size_t i = 0; i < KINDS; i++)
		TRY(list_own(sources, i));
	return BERM_OK;
}

static struct own *find_own(struct sources *sources, enum policy_doc_kind kind, const char *name)
{
	const struct vec *all = &sources->own[kind_index(kind)];
	const struct own wanted = {.name = name};
	return all->len == 0 ? NULL : bsearch(&wanted, all->items, all->len, all->item_size, compare_own);
}

/* A group that is always in is always ours. */
static bool is_taken(struct sources *sources, const struct own *own, enum policy_doc_kind kind, const char *shown)
{
	const struct policy_doc *shipped = builtin_find(kind, own->name);
	const struct place place = {shown, 0, 0};
	if (shipped == NULL || !shipped->required)
		return false;
	problem_add(sources->problems, &place, "'%.60s' is a required group of berm's: give yours another name",
		    own->name);
	return true;
}

/* The name of the file is the document's. */
static enum berm_code name_own(struct sources *sources, struct own *own, const struct policy_doc *read)
{
	const struct place place = {read->file, 0, 0};
	if (read->name != NULL && strcmp(read->name, own->name) != 0) {
		problem_add(sources->problems, &place, "the file calls itself '%.60s'", read->name);
		problem_hint(sources->problems, "name: %.60s", own->name);
		return err_set(sources->err, BERM_ERR_PARSE, "'%.160s' calls itself '%.60s'", read->file, read->name);
	}
	struct policy_doc *doc = arena_alloc(&sources->arena, sizeof *doc);
	if (doc == NULL)
		return no_memory(sources->err);
	*doc = *read;
	doc->name = own->name;
	own->doc = doc;
	return BERM_OK;
}

static enum berm_code read_own(struct sources *sources, struct own *own, enum policy_doc_kind kind)
{
	const struct policy_doc *read = NULL;
	const char *folder = NULL, *front = NULL, *shown = NULL;
	TRY(text_of(sources, sources->config, kind == POLICY_DOC_GROUP ? "/groups/" : "/profiles/", &folder));
	TRY(text_of(sources, folder, own->name, &front));
	TRY(text_of(sources, front, yaml_end, &shown));
	const char *name = shown + strlen(sources->config) + 1;
	if (is_taken(sources, own, kind, shown))
		return err_set(sources->err, BERM_ERR_PARSE, "'%.160s' has the name of a required group", shown);
	const struct wanted_file wanted = {sources->config_fd, name, shown, POLICY_FILE_OWN, kind};
	TRY(read_doc(sources, &wanted, &read, sources->err));
	return name_own(sources, own, read);
}

/* The user's, read at its first use. NULL: there is none, or it is broken, which was told. */
static const struct policy_doc *own_doc(struct sources *sources, enum policy_doc_kind kind, const char *name)
{
	struct own *own = find_own(sources, kind, name);
	if (own == NULL || own->broken || own->doc != NULL)
		return own != NULL ? own->doc : NULL;
	size_t before = sources->problems->count;
	struct berm_err *kept = sources->err;
	sources->err = &sources->failure;
	enum berm_code code = read_own(sources, own, kind);
	sources->err = kept;
	own->broken = code != BERM_OK;
	if (own->broken && sources->problems->count == before) {
		const struct place place = {own->name, 0, 0};
		problem_add(sources->problems, &place, "%s", sources->failure.msg);
	}
	return own->doc;
}

/* ---- the finder -------------------------------------------------------------------------------------------------- */

/* The user's come before what is shipped. */
static const struct policy_doc *find(void *context, enum policy_doc_kind kind, const char *name,
				     struct problems *problems)
{
	struct sources *sources = context;
	sources->problems = problems;
	if (find_own(sources, kind, name) != NULL)
		return own_doc(sources, kind, name);
	return builtin_find(kind, name);
}

/* What is shipped, then what only the user has. */
static const char *name_at(void *context, enum policy_doc_kind kind, size_t index)
{
	const struct sources *sources = context;
	bool group = kind == POLICY_DOC_GROUP;
	size_t shipped = group ? builtin_group_count : builtin_profile_count;
	const struct vec *own = &sources->own[kind_index(kind)];
	if (index < shipped)
		return (group ? builtin_groups : builtin_profiles)[index].name;
	return index - shipped < own->len ? ((const struct own *)vec_at(own, index - shipped))->name : NULL;
}

/* ---- which profiles ---------------------------------------------------------------------------------------------- */

static bool is_path(const char *text)
{
	struct str name = str_from(text);
	return strchr(text, '/') != NULL || str_ends(name, STR(".yaml")) || str_ends(name, STR(".json"));
}

static enum berm_code add_profile(struct sources *sources, const struct policy_doc *doc, const char *name)
{
	const char *joined = name;
	if (sources->profile != NULL) {
		TRY(text_of(sources, sources->profile, "+", &joined));
		TRY(text_of(sources, joined, name, &joined));
	}
	sources->profile = joined;
	return vec_push(&sources->profiles, &doc, sources->err);
}

/* -p FILE */
static enum berm_code add_profile_file(struct sources *sources, const char *name)
{
	char path[PATH_MAX];
	const char *cwd = sources->request->cwd, *shown = NULL;
	const struct policy_doc *doc = NULL;
	if (!path_resolve(str_from(cwd != NULL ? cwd : "/"), str_from(name), path, sizeof path))
		return err_set(sources->err, BERM_ERR_INVALID, "too long, or above '/': '%.100s'", name);
	TRY(text_of(sources, path, "", &shown));
	const struct wanted_file wanted = {AT_FDCWD, shown, shown, POLICY_FILE_NAMED, POLICY_DOC_PROFILE};
	TRY(read_doc(sources, &wanted, &doc, sources->err));
	return add_profile(sources, doc, name);
}

static enum berm_code no_such_profile(struct sources *sources, const char *name)
{
	struct nearest nearest;
	const char *candidate;
	const struct place place = {"profile", 0, 0};
	nearest_init(&nearest, name);
	for (size_t i = 0; (candidate = name_at(sources, POLICY_DOC_PROFILE, i)) != NULL; i++)
		nearest_offer(&nearest, candidate);
	problem_add(sources->problems, &place, "no such profile: '%.60s'", name);
	if (nearest.best != NULL)
		problem_hint(sources->problems, "-p %s", nearest.best);
	else
		problem_hint(sources->problems, "berm profile list, or -p ./%.60s for a file", name);
	return err_set(sources->err, BERM_ERR_NOTFOUND, "no such profile: '%.60s'", name);
}

static enum berm_code add_profile_named(struct sources *sources, const char *name)
{
	if (is_path(name))
		return add_profile_file(sources, name);
	size_t before = sources->problems->count;
	const struct policy_doc *doc = find(sources, POLICY_DOC_PROFILE, name, sources->problems);
	if (doc != NULL)
		return add_profile(sources, doc, name);
	if (sources->problems->count > before)
		return problems_check(sources->problems, sources->err);
	return no_such_profile(sources, name);
}

static bool names_program(const struct policy_doc *doc, const char *program)
{
	for (uint32_t i = 0; doc != NULL && i < doc->line_count; i++)
		if (doc->lines[i].key == KEY_PROGRAMS && strcmp(doc->lines[i].text, program) == 0)
			return true;
	return false;
}

/* The profile that names the program: the user's own, else a shipped one. */
static enum berm_code profile_for(struct sources *sources, const char *program, const char **ret_name)
{
	const char *slash = strrchr(program, '/'), *name = slash != NULL ? slash + 1 : program;
	const struct vec *own = &sources->own[kind_index(POLICY_DOC_PROFILE)];
	size_t before = sources->problems->count;
	for (size_t i = 0; i < own->len && *ret_name == NULL; i++) {
		const char *candidate = ((const struct own *)vec_at(own, i))->name;
		if (names_program(own_doc(sources, POLICY_DOC_PROFILE, candidate), name))
			*ret_name = candidate;
	}
	if (sources->problems->count > before)
		return problems_check(sources->problems, sources->err);
	const struct policy_doc *shipped = *ret_name == NULL ? builtin_for_program(name) : NULL;
	if (shipped != NULL)
		*ret_name = shipped->name;
	return BERM_OK;
}

static bool has_extends(const struct vec *docs)
{
	for (size_t i = 0; i < docs->len; i++) {
		const struct policy_doc *doc = *(const struct policy_doc **)vec_at(docs, i);
		for (uint32_t j = 0; j < doc->line_count; j++)
			if (doc->lines[j].key == KEY_EXTENDS)
				return true;
	}
	return false;
}

/* -p, else BERM_PROFILE, else by the program, else what the user's policy.yaml extends, else the default one. */
static enum berm_code choose_profiles(struct sources *sources)
{
	const struct sources_request *request = sources->request;
	const char *named = environment(request, "BERM_PROFILE"), *by_program = NULL;
	const char *const *profiles = request->profiles;
	if (request->no_profile)
		return add_profile_named(sources, "none");
	for (size_t i = 0; profiles != NULL && profiles[i] != NULL; i++) {
		if (i == MAX_NAMES)
			return err_set(sources->err, BERM_ERR_LIMIT, "more than %d profiles", MAX_NAMES);
		TRY(add_profile_named(sources, profiles[i]));
	}
	if (sources->profiles.len > 0)
		return BERM_OK;
	if (named != NULL && named[0] != '\0')
		return add_profile_named(sources, named);
	if (request->program != NULL)
		TRY(profile_for(sources, request->program, &by_program));
	sources->by_program = by_program != NULL;
	if (by_program != NULL)
		return add_profile_named(sources, by_program);
	if (!has_extends(&sources->user))
		return add_profile_named(sources, "default");
	sources->profile = "policy.yaml";
	return BERM_OK;
}

/* ---- policy.yaml ------------------------------------------------------------------------------------------------- */

static bool is_narrowing(const struct policy_line *line)
{
	const char *decision = policy_attr_find(line, ATTR_DECISION);
	return line->key == KEY_WHEN || line->key == KEY_DENY || line->key == KEY_PROTECT || line->key == KEY_ASK ||
	       line->key == KEY_NET_DENY ||
	       (line->key == KEY_COMMAND && decision != NULL && strcmp(decision, "allow") != 0);
}

/* Without a profile: what the user has closed stays closed. */
static enum berm_code keep_narrowing(struct sources *sources, const struct policy_doc **doc)
{
	struct policy_doc *kept = arena_alloc(&sources->arena, sizeof *kept);
	struct policy_line *lines = arena_array(&sources->arena, (*doc)->line_count, sizeof *lines);
	if (kept == NULL || lines == NULL)
		return no_memory(sources->err);
	*kept = **doc;
	kept->lines = lines;
	kept->line_count = 0;
	for (uint32_t i = 0; i < (*doc)->line_count; i++)
		if (is_narrowing(&(*doc)->lines[i]))
			lines[kept->line_count++] = (*doc)->lines[i];
	*doc = kept;
	return BERM_OK;
}

static enum berm_code read_user(struct sources *sources)
{
	const struct policy_doc *doc = NULL;
	const char *shown = NULL;
	struct berm_err failure = {.code = BERM_OK};
	if (sources->config_fd < 0)
		return BERM_OK;
	TRY(text_of(sources, sources->config, "/policy.yaml", &shown));
	const struct wanted_file wanted = {sources->config_fd, "policy.yaml", shown, POLICY_FILE_OWN, POLICY_DOC_FILE};
	enum berm_code code = read_doc(sources, &wanted, &doc, &failure);
	if (code == BERM_ERR_NOTFOUND)
		return BERM_OK;
	if (code != BERM_OK)
		return err_set(sources->err, code, "%s", failure.msg);
	if (sources->request->no_profile)
		TRY(keep_narrowing(sources, &doc));
	return vec_push(&sources->user, &doc, sources->err);
}

/* ---- the project's ----------------------------------------------------------------------------------------------- */

static enum berm_code take_consent(struct sources *sources)
{
	const struct policy_doc *project = sources->project, *accepted = NULL;
	const char *hash = sources->request->accept_hash;
	char own[CONSENT_HASH_CHARS + 1];
	bool found = false;
	consent_hash(project, own);
	if (hash != NULL && !consent_hash_is(project, hash))
		return err_set(sources->err, BERM_ERR_DENIED, "'%.90s' is not the accepted one: its hash is %s",
			       project->file, own);
	if (!consent_is_needed(project) || sources->request->no_profile)
		return BERM_OK;
	if (hash == NULL)
		TRY(consent_find(sources->state, project, &found, sources->err));
	sources->unaccepted = hash == NULL && !found;
	if (sources->unaccepted)
		return BERM_OK;
	TRY(consent_document(&sources->arena, project, &accepted, sources->err));
	return vec_push(&sources->user, &accepted, sources->err);
}

static enum berm_code read_project(struct sources *sources)
{
	const char *workspace = sources->request->workspace, *shown = NULL, *rest = "/.berm.yaml";
	struct berm_err failure = {.code = BERM_OK};
	if (workspace == NULL)
		return BERM_OK;
	TRY(text_of(sources, strcmp(workspace, "/") == 0 ? "" : workspace, rest, &shown));
	auto_fd int folder = open(workspace, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder < 0)
		return errno == ENOENT ? BERM_OK : err_sys(sources->err, "open '%.160s'", workspace);
	const struct wanted_file wanted = {folder, project_file, shown, POLICY_FILE_PROJECT, POLICY_DOC_FILE};
	enum berm_code code = read_doc(sources, &wanted, &sources->project, &failure);
	if (code == BERM_ERR_NOTFOUND)
		return BERM_OK;
	return code == BERM_OK ? take_consent(sources) : err_set(sources->err, code, "%s", failure.msg);
}

/* ---- all of it --------------------------------------------------------------------------------------------------- */

static enum berm_code end_list(struct sources *sources, struct vec *docs, const struct policy_doc *const **ret_docs)
{
	static const struct policy_doc *const end = NULL;
	TRY(vec_push(docs, &end, sources->err));
	*ret_docs = docs->items;
	return BERM_OK;
}

static enum berm_code make_layers(struct sources *sources)
{
	struct policy_layers *layers = &sources->layers;
	TRY(end_list(sources, &sources->system, &layers->system));
	TRY(end_list(sources, &sources->user, &layers->user));
	TRY(end_list(sources, &sources->profiles, &layers->profiles));
	layers->project = sources->project;
	layers->flags = sources->request->flags;
	layers->finder = (struct policy_finder){sources, find, name_at};
	return BERM_OK;
}

/* Where sessions of this user have their sockets, of whatever environment they were started in. */
static enum berm_code find_runtime(struct sources *sources)
{
	char usual[64];
	const char *base = env_get(sources->request->envp, "XDG_RUNTIME_DIR");
	(void)snprintf(usual, sizeof(usual), "/run/user/%u", (unsigned)getuid());
	return text_of(sources, base != NULL && base[0] == '/' ? base : usual, "/berm", &sources->runtime);
}

static enum berm_code open_all(struct sources *sources)
{
	TRY(find_folder(sources, "BERM_CONFIG_DIR", "XDG_CONFIG_HOME", "/.config/berm", &sources->config));
	TRY(find_folder(sources, "BERM_STATE_DIR", "XDG_STATE_HOME", "/.local/state/berm", &sources->state));
	TRY(find_runtime(sources));
	TRY(read_system(sources));
	TRY(open_config(sources));
	TRY(read_user(sources));
	TRY(choose_profiles(sources));
	TRY(read_project(sources));
	return make_layers(sources);
}

static void init(struct sources *sources)
{
	arena_init(&sources->arena, MAX_MEMORY);
	for (size_t i = 0; i < KINDS; i++)
		vec_init(&sources->own[i], sizeof(struct own), MAX_FILES);
	vec_init(&sources->files, sizeof(const char *), (size_t)4 * MAX_FILES);
	vec_init(&sources->system, sizeof(const struct policy_doc *), MAX_FILES + 1);
	vec_init(&sources->user, sizeof(const struct policy_doc *), MAX_FILES + 1);
	vec_init(&sources->profiles, sizeof(const struct policy_doc *), MAX_FILES + 1);
	sources->config_fd = -1;
}

enum berm_code sources_open(const struct sources_request *request, struct sources **ret_sources,
			    struct problems *problems, struct berm_err *err)
{
	struct sources *sources = calloc(1, sizeof *sources);
	if (sources == NULL)
		return no_memory(err);
	init(sources);
	sources->request = request;
	sources->problems = problems;
	sources->err = err;
	enum berm_code code = open_all(sources);
	sources->err = NULL;
	if (code == BERM_OK)
		*ret_sources = sources;
	else
		sources_free(sources);
	return code;
}

void sources_free(struct sources *sources)
{
	if (sources == NULL)
		return;
	for (size_t i = 0; i < KINDS; i++)
		vec_done(&sources->own[i]);
	vec_done(&sources->files);
	vec_done(&sources->system);
	vec_done(&sources->user);
	vec_done(&sources->profiles);
	if (sources->config_fd >= 0)
		(void)close(sources->config_fd);
	arena_done(&sources->arena);
	free(sources);
}

const struct policy_layers *sources_layers(const struct sources *sources)
{
	return &sources->layers;
}

const char *sources_profile(const struct sources *sources, bool *ret_by_program)
{
	*ret_by_program = sources->by_program;
	return sources->profile;
}

const char *sources_config_folder(const struct sources *sources)
{
	return sources->config;
}

const char *sources_state_folder(const struct sources *sources)
{
	return sources->state;
}

void sources_tell_folders(const struct sources *sources, struct policy_input *input)
{
	input->config_folder = sources->config;
	input->state_folder = sources->state;
	input->runtime_folder = sources->runtime;
}

const char *sources_file(const struct sources *sources, size_t index)
{
	return index < sources->files.len ? *(const char *const *)vec_at(&sources->files, index) : NULL;
}

const struct policy_doc *sources_project(const struct sources *sources)
{
	return sources->project;
}

const struct policy_doc *sources_unaccepted(const struct sources *sources)
{
	return sources->unaccepted ? sources->project : NULL;
}
