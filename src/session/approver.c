#include "session/approver.h"

const char *const approval_kind_words[APPROVAL_KINDS + 1] = {
	[APPROVAL_FILE] = "file", [APPROVAL_EXEC] = "exec", [APPROVAL_SOCKET] = "socket",   [APPROVAL_NET] = "net",
	[APPROVAL_DNS] = "dns",	  [APPROVAL_HTTP] = "http", [APPROVAL_PROCESS] = "process",
};
const char *const approval_scope_words[APPROVAL_SCOPES + 1] = {
	[APPROVAL_ONCE] = "once", [APPROVAL_SESSION] = "session", [APPROVAL_ALWAYS] = "always"};
const char *const approval_extent_words[APPROVAL_EXTENTS + 1] = {
	[APPROVAL_OBJECT] = "object", [APPROVAL_FOLDER] = "folder", [APPROVAL_HOST] = "host"};

void approver_free(struct approver *approver)
{
	if (approver != NULL)
		approver->kind->free(approver);
}

void approver_drop(struct approver **approver)
{
	approver_free(*approver);
	*approver = NULL;
}
