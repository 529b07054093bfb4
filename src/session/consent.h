/*
 * What a project wants beyond the user's policy counts once the user has consented. A consent is for one content of one
 * file: a changed file asks again. They are kept in the user's state folder, which is closed to what runs inside.
 */
#ifndef BERM_SESSION_CONSENT_H
#define BERM_SESSION_CONSENT_H

#include "policy/policy.h"

enum { CONSENT_HASH_CHARS = 64 };

/* Does a project's document want anything? */
bool consent_is_needed(const struct policy_doc *project);
/* The hash of the document's bytes as 64 hexadecimal digits, NUL-terminated: what --accept-hash takes. */
void consent_hash(const struct policy_doc *project, char ret_hash[static CONSENT_HASH_CHARS + 1]);
bool consent_hash_is(const struct policy_doc *project, const char *hash);

/* Is there a consent for this content of this file? state_folder: absolute; where there is none, there is no consent.
 * Errors: DENIED (others may write there), LIMIT, SYS, NOMEM. */
MUST_USE enum berm_code consent_find(const char *state_folder, const struct policy_doc *project, bool *ret_found,
				     struct berm_err *err);
/* Keeps one; the state folder is made if need be. Errors: as before; INVALID (a path that no line can hold). */
MUST_USE enum berm_code consent_store(const char *state_folder, const struct policy_doc *project, struct berm_err *err);

/* The wanted lines as a document of the user's own, in arena; places stay the project's. */
MUST_USE enum berm_code consent_document(struct arena *arena, const struct policy_doc *project,
					 const struct policy_doc **ret_doc, struct berm_err *err);
/* "+ KEY: TEXT {ATTRIBUTE: TEXT}  (line N)" for each wanted line that the policy (NULL: any) does not have just so, with
 * two spaces in front for the others. Returns how many are new. */
size_t consent_diff(const struct policy_doc *project, const struct policy *policy, struct buf *out);

#endif
