/* What a start needs from the heap, made in the caller before the fork: filter, environment, paths to try, memory. */
#ifndef BERM_SANDBOX_PREPARE_H
#define BERM_SANDBOX_PREPARE_H

#include "sandbox/launch.h"

/* plan and command are borrowed as long as the launch lives. Errors: INVALID, NOMEM, SYS, UNSUPPORTED. */
MUST_USE enum berm_code prepare_launch(const struct berm_plan *plan, const struct berm_command *command,
				       struct launch **ret_launch, struct berm_err *err);
/* In the caller only; the helper never frees. Does not remove private_tmp: the helper does, at its end. */
void prepare_free(struct launch *launch);

#endif
