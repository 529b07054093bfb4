/* Groups and profiles by name, shipped ones and the user's: what "berm profile" and "berm group" have in common. */
#ifndef BERM_CLI_NAMED_H
#define BERM_CLI_NAMED_H

#include "cli/commands.h"
#include "session/sources.h"

struct named {
	enum policy_doc_kind kind; /* PROFILE or GROUP */
	struct sources *sources;
	struct problems *problems; /* of the user's own that are broken */
	char *home;
};

/* "profile", "group". */
const char *named_word(enum policy_doc_kind kind);
/* ret_named is to be given to named_done in any case. Errors: those of sources_open. */
MUST_USE enum berm_code named_open(enum policy_doc_kind kind, struct named *ret_named, struct berm_err *err);
void named_done(struct named *named);
/* NULL: there is none, or it is broken and in problems. */
const struct policy_doc *named_find(const struct named *named, const char *name);
/* Says that there is none of that name, and which is near. Returns the exit status. */
int named_unknown(const struct named *named, const struct command *self, const char *name);

/* The words "list" and "show NAME" for one kind. Each returns the exit status. */
int named_list(const struct command *self, const char *const *argv, enum policy_doc_kind kind);
int named_show(const struct command *self, const char *const *argv, enum policy_doc_kind kind);
extern const struct option_set named_list_option_set, named_show_option_set;

#define auto_named __attribute__((cleanup(named_done)))

#endif
