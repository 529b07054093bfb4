/* Target: consent_find, consent_store, on what is in the state folder. Input: a line with the path of a project's file,
 * then the file of consents. A consent is found if its line is there and only then; one that is kept is found, and takes
 * none away but the oldest of a thousand. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/own.h"
#include "session/consent.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { KEPT_MAX = 1000, SIZE_MAX_INPUT = 262144 };
static const char name[] = "consents";

static void require(bool condition)
{
	if (!condition)
		abort();
}

/* ---- the folder -------------------------------------------------------------------------------------------------- */

static char folder[] = "/tmp/berm-fuzz-XXXXXX";
static int folder_fd = -1;

static void remove_folder(void)
{
	(void)unlinkat(folder_fd, name, 0);
	(void)rmdir(folder);
}

static void make_folder(void)
{
	if (folder_fd >= 0)
		return;
	require(mkdtemp(folder) != NULL);
	folder_fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	require(folder_fd >= 0 && atexit(remove_folder) == 0);
}

static void put_file(struct str text)
{
	auto_fd int fd = openat(folder_fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	require(fd >= 0 && write(fd, text.ptr, text.len) == (ssize_t)text.len);
}

/* ---- what is expected -------------------------------------------------------------------------------------------- */

static size_t count_line(struct str text, struct str wanted)
{
	size_t count = 0;
	for (const char *at = text.ptr, *end = text.ptr + text.len; at < end;) {
		const char *stop = memchr(at, '\n', (size_t)(end - at));
		size_t len = (size_t)((stop != NULL ? stop : end) - at);
		count += len == wanted.len && memcmp(at, wanted.ptr, len) == 0;
		at += len + 1;
	}
	return count;
}

static size_t count_lines(struct str text)
{
	size_t count = 0;
	struct str line;
	while (str_next(&text, '\n', &line))
		count += line.len > 0;
	return count;
}

static void put_line(const struct policy_doc *doc, struct buf *out)
{
	char hash[CONSENT_HASH_CHARS + 1];
	consent_hash(doc, hash);
	require(strlen(hash) == CONSENT_HASH_CHARS && consent_hash_is(doc, hash));
	buf_printf(out, "%s %s", hash, doc->file);
	require(!out->failed);
}

static bool can_be_kept(const char *path)
{
	return path[0] == '/' && strpbrk(path, "\r\n") == NULL;
}

static bool is_found(const struct policy_doc *doc)
{
	bool found = true;
	require(consent_find(folder, doc, &found, NULL) == BERM_OK);
	return found;
}

static void check_find(const struct policy_doc *doc, struct str text)
{
	auto_buf struct buf line;
	buf_init(&line, SIZE_MAX_INPUT);
	put_line(doc, &line);
	require(is_found(doc) == (can_be_kept(doc->file) && count_line(text, buf_str(&line)) > 0));
}

static void check_others(const struct policy_doc *doc, const struct policy_doc *other, struct str text)
{
	bool before = is_found(other), there = is_found(doc), kept = can_be_kept(doc->file);
	size_t count = count_lines(text);
	require((consent_store(folder, doc, NULL) == BERM_OK) == kept);
	require(is_found(doc) == kept && (!there || kept));
	require(is_found(other) == before || (before && count >= KEPT_MAX));
}

/* A path of a project's file, and one more. */
static struct policy_doc doc_of(const char *path, uint8_t first)
{
	return (struct policy_doc){.file = path, .digest = {first, 0xab}};
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char path[256] = "";
	struct str rest = {(const char *)data, size}, head = {"", 0};
	if (size > SIZE_MAX_INPUT || !str_next(&rest, '\n', &head) || head.len >= sizeof path)
		return 0;
	memcpy(path, head.ptr, head.len);
	const struct policy_doc one = doc_of(path, 1), other = doc_of(path, 2), fixed = doc_of("/w/.berm.yaml", 1);
	make_folder();
	put_file(rest);
	check_find(&one, rest);
	check_find(&other, rest);
	check_others(&one, &other, rest);
	if (strcmp(path, fixed.file) != 0)
		check_others(&one, &fixed, rest);
	return 0;
}
