#include "session/consent.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/own.h"
#include "format/utf8.h"
#include "session/policy_file.h"

/* Lines of "HASH PATH", the newest last. */
static const char consents_file[] = "consents";
enum { CONSENTS_MAX = 1000, CONSENTS_MAX_BYTES = 8 * 1024 * 1024, FOLDER_MODE = 0700 };

bool consent_is_needed(const struct policy_doc *project)
{
	for (uint32_t i = 0; i < project->line_count; i++)
		if (project->lines[i].wanted)
			return true;
	return false;
}

void consent_hash(const struct policy_doc *project, char ret_hash[static CONSENT_HASH_CHARS + 1])
{
	for (size_t i = 0; i < sizeof project->digest; i++)
		(void)snprintf(ret_hash + 2 * i, 3, "%02x", project->digest[i]);
}

bool consent_hash_is(const struct policy_doc *project, const char *hash)
{
	char own[CONSENT_HASH_CHARS + 1];
	consent_hash(project, own);
	return str_eq_nocase(str_from(own), str_from(hash));
}

/* ---- the file ---------------------------------------------------------------------------------------------------- */

/* "HASH PATH"; false: the path has a line break. */
static bool line_of(const struct policy_doc *project, struct buf *line)
{
	char hash[CONSENT_HASH_CHARS + 1];
	consent_hash(project, hash);
	buf_printf(line, "%s %s", hash, project->file);
	return project->file[0] == '/' && strpbrk(project->file, "\n\r") == NULL;
}

static enum berm_code read_consents(int folder, const char *shown, struct buf *text, struct berm_err *err)
{
	struct berm_err failure;
	enum berm_code code = policy_file_read(folder, consents_file, shown, POLICY_FILE_OWN, text, &failure);
	if (code == BERM_OK || code == BERM_ERR_NOTFOUND)
		return BERM_OK;
	return err_set(err, code, "%s", failure.msg);
}

static bool holds_line(struct str text, struct str wanted)
{
	struct str line;
	while (str_next(&text, '\n', &line))
		if (str_eq(line, wanted))
			return true;
	return false;
}

/* A folder that is not there holds no consent. *ret_folder stays -1 then. */
static enum berm_code open_state(const char *path, int *ret_folder, struct berm_err *err)
{
	struct berm_err failure;
	enum berm_code code = policy_file_open_folder(path, POLICY_FILE_OWN, ret_folder, &failure);
	if (code == BERM_OK || code == BERM_ERR_NOTFOUND)
		return BERM_OK;
	return err_set(err, code, "%s", failure.msg);
}

enum berm_code consent_find(const char *state_folder, const struct policy_doc *project, bool *ret_found,
			    struct berm_err *err)
{
	auto_buf struct buf text, line;
	buf_init(&text, CONSENTS_MAX_BYTES);
	buf_init(&line, CONSENTS_MAX_BYTES);
	auto_fd int folder = -1;
	*ret_found = false;
	if (state_folder == NULL || !line_of(project, &line))
		return BERM_OK;
	TRY(buf_check(&line, err));
	TRY(open_state(state_folder, &folder, err));
	if (folder < 0)
		return BERM_OK;
	TRY(read_consents(folder, consents_file, &text, err));
	*ret_found = holds_line(buf_str(&text), buf_str(&line));
	return BERM_OK;
}

/* The folder and what is missing above it. */
static enum berm_code make_folder(const char *path, struct berm_err *err)
{
	auto_buf struct buf part;
	buf_init(&part, CONSENTS_MAX_BYTES);
	for (const char *slash = strchr(path + 1, '/');; slash = strchr(slash + 1, '/')) {
		buf_clear(&part);
		buf_put(&part, path, slash != NULL ? (size_t)(slash - path) : strlen(path));
		TRY(buf_check(&part, err));
		if (mkdir(part.data, FOLDER_MODE) < 0 && errno != EEXIST)
			return err_sys(err, "make '%.160s'", part.data);
		if (slash == NULL)
			return BERM_OK;
	}
}

/* The newest lines without the one that is about to be added. */
static void keep_others(struct str text, struct str added, struct buf *out)
{
	size_t count = 0, skipped = 0;
	struct str rest = text, line;
	while (str_next(&rest, '\n', &line))
		count += line.len > 0;
	while (str_next(&text, '\n', &line)) {
		if (line.len == 0 || str_eq(line, added) || (count > CONSENTS_MAX && skipped++ < count - CONSENTS_MAX))
			continue;
		buf_put_str(out, line);
		buf_putc(out, '\n');
	}
}

enum berm_code consent_store(const char *state_folder, const struct policy_doc *project, struct berm_err *err)
{
	auto_buf struct buf text, line, all;
	buf_init(&text, CONSENTS_MAX_BYTES);
	buf_init(&line, CONSENTS_MAX_BYTES);
	buf_init(&all, CONSENTS_MAX_BYTES);
	auto_fd int folder = -1;
	if (!line_of(project, &line))
		return err_set(err, BERM_ERR_INVALID, "no consent can be kept for '%.120s'", project->file);
	TRY(buf_check(&line, err));
	TRY(make_folder(state_folder, err));
	TRY(policy_file_open_folder(state_folder, POLICY_FILE_OWN, &folder, err));
	TRY(read_consents(folder, consents_file, &text, err));
	keep_others(buf_str(&text), buf_str(&line), &all);
	buf_put_str(&all, buf_str(&line));
	buf_putc(&all, '\n');
	TRY(buf_check(&all, err));
	return policy_file_write(folder, consents_file, consents_file, buf_str(&all), err);
}

/* ---- what is wanted ---------------------------------------------------------------------------------------------- */

static size_t count_wanted(const struct policy_doc *project)
{
	size_t count = 0;
	for (uint32_t i = 0; i < project->line_count; i++)
		count += project->lines[i].wanted;
	return count;
}

enum berm_code consent_document(struct arena *arena, const struct policy_doc *project,
				const struct policy_doc **ret_doc, struct berm_err *err)
{
	size_t count = count_wanted(project);
	struct policy_doc *doc = arena_alloc(arena, sizeof *doc);
	struct policy_line *lines = arena_array(arena, count, sizeof *lines);
	if (doc == NULL || lines == NULL)
		return err_set(err, BERM_ERR_NOMEM, "take what '%.160s' wants", project->file);
	*doc = *project;
	doc->lines = lines;
	doc->line_count = 0;
	for (uint32_t i = 0; i < project->line_count; i++)
		if (project->lines[i].wanted) {
			lines[doc->line_count] = project->lines[i];
			lines[doc->line_count++].wanted = false;
		}
	*ret_doc = doc;
	return BERM_OK;
}

static bool is_same(const struct policy_line *a, const struct policy_line *b)
{
	bool same = a->key == b->key && a->attr_count == b->attr_count && strcmp(a->text, b->text) == 0;
	for (uint32_t i = 0; same && i < a->attr_count; i++)
		same = a->attrs[i].key == b->attrs[i].key && strcmp(a->attrs[i].text, b->attrs[i].text) == 0;
	return same;
}

static bool has_line(const struct policy *policy, const struct policy_line *line)
{
	for (size_t i = 0; policy != NULL && i < policy->count; i++)
		if (policy->entries[i].off == NULL && is_same(policy->entries[i].line, line))
			return true;
	return false;
}

/* A stranger wrote it: nothing in it moves a cursor. */
static void put_harmless(struct buf *out, const char *text)
{
	for (struct str rest = str_from(text); rest.len > 0;) {
		size_t len = utf8_length(rest);
		if (len > 0 && !utf8_is_control(rest, len))
			buf_put(out, rest.ptr, len);
		else
			buf_putc(out, '?');
		len = len > 0 ? len : 1;
		rest = (struct str){rest.ptr + len, rest.len - len};
	}
}

static void put_line(struct buf *out, const struct policy_line *line)
{
	buf_printf(out, "%s: ", policy_keys[line->key].path);
	put_harmless(out, line->text);
	for (uint32_t i = 0; i < line->attr_count; i++) {
		buf_printf(out, "%s%s: ", i == 0 ? " {" : ", ", policy_attrs[line->attrs[i].key].name);
		put_harmless(out, line->attrs[i].text);
	}
	buf_puts(out, line->attr_count > 0 ? "}" : "");
}

size_t consent_diff(const struct policy_doc *project, const struct policy *policy, struct buf *out)
{
	size_t count = 0;
	for (uint32_t i = 0; i < project->line_count; i++) {
		const struct policy_line *line = &project->lines[i];
		if (!line->wanted)
			continue;
		bool is_new = !has_line(policy, line);
		count += is_new;
		buf_puts(out, is_new ? "+ " : "  ");
		put_line(out, line);
		buf_printf(out, "  (line %u)\n", (unsigned)line->line);
	}
	return count;
}
