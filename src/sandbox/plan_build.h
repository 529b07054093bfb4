/*
 * A plan in the making: what its files hand to each other. The order is the order of the declarations: the back-end,
 * the paths and rules of all lines, what each narrowing line needs, the grants, the filter, the lines.
 */
#ifndef BERM_SANDBOX_PLAN_BUILD_H
#define BERM_SANDBOX_PLAN_BUILD_H

#include "sandbox/caps.h"
#include "sandbox/facts.h"
#include "sandbox/plan.h"
#include "sandbox/plan_paths.h"

enum { RIGHTS_CHANGE = BERM_WRITE | BERM_DELETE, RIGHTS_OPEN = BERM_READ | BERM_EXEC };

/* As the supervisor compares names: another spelling may be the same file. */
static const bool BUILD_FOLD = true;

struct plan_owned {
	atomic_uint users; /* of the plan */
	struct arena arena;
	struct cap_store *store; /* of the capabilities */
	struct vec globs;	 /* struct glob *: made for the plan */
	uint32_t *heads;	 /* by the hash of a key: number plus one of the first rule of a chain */
	uint32_t *next;		 /* for each rule the next of its chain */
	size_t head_count;	 /* a power of two */
	uint32_t keyless;	 /* chain of the rules without a key */
};

/* Where a rule of plan->rules (before they are sorted) takes hold. */
struct rule_note {
	struct path_node *anchor; /* the literal's node, or that of the pattern's literal beginning */
	const struct glob *glob;  /* NULL: literal */
	uint32_t line;		  /* of the capabilities */
	unsigned right;
	bool deep; /* holds at any depth below the anchor */
	bool mild; /* a denied literal with exceptions: as a pattern */
};

/* What became of a line of the capabilities. */
struct line_state {
	struct path_node *node; /* of a path */
	const char *refused;	/* what is missing, in words that go after "needs"; NULL: it is held */
	const char *way_out;	/* what goes after "try" */
	unsigned touched;	/* rights of the grants that a narrowing line takes hold in */
	bool folder : 1;	/* a FILE grant that names a folder */
	bool root : 1;		/* "/" by way of a link, for writing */
	bool outer : 1;		/* held by a berm around this one */
	bool permissions : 1;	/* file permissions hold it */
	bool mask : 1;		/* how a deny line is held ... */
	bool chain : 1;
	bool governs_read : 1;
	bool governs_write : 1;
	bool host_made : 1;  /* weaker: what something outside makes under this name during the run is not covered */
	bool not_looked : 1; /* weaker: a tree was too large to look through */
};

/* A tree in which a berm around this one lets things be changed or read. */
struct outer_node {
	struct path_node *node;
	unsigned rights; /* RIGHTS_CHANGE or BERM_READ */
	bool on_behalf;	 /* by its supervisor, which our Landlock rules do not bind */
};

/* What the enforcer of a granted tree is made of, and its words. */
/* The words of the last line that was refused. */
struct told_refusal {
	const char *needs, *way_out, *note;
};
struct told_grant {
	unsigned rights, govern;
	uint32_t protects, denies, reads;
	const char *text;
};

struct build {
	const struct berm_caps *caps;
	const struct berm_facts *facts;
	struct berm_plan *plan;
	struct arena *keep; /* of the plan */
	struct arena temp;
	struct paths paths;
	struct rule_note *notes;
	size_t note_count;
	struct vec grants;	   /* struct path_node *: named by a line, with rights */
	struct vec outer;	   /* struct outer_node */
	struct line_state *states; /* for each line of the capabilities */
	bool namespaces, landlock;
	bool supervise;		    /* a listener can be had and used */
	bool can_govern;	    /* and Landlock refuses what it is to be asked for */
	enum fact cannot_supervise; /* the fact that is missing, if not */
	enum fact no_namespaces;    /* the fact that is missing for namespaces, or FACT_COUNT */
	bool deny_patterns;
	bool narrowed;		      /* there is a line that narrows */
	struct told_grant last_grant; /* while lines are made */
	struct told_refusal last_refusal;
	bool out_of_memory;	 /* while words were made */
	struct berm_err refusal; /* of the first line that is not held */
	size_t chain_count;	 /* names around denied ones that became grants */
	size_t mask_count;
};

static inline const struct cap_line *build_line(const struct build *build, size_t index)
{
	return (const struct cap_line *)build->caps->lines.items + index;
}

/* plan.c */
enum berm_code build_no_memory(struct berm_err *err);
/* As berm_plan_make (draft: as plan_draft), with another file system: for tests. */
MUST_USE enum berm_code build_plan(const struct berm_caps *caps, const struct berm_facts *facts,
				   const struct plan_eyes *eyes, bool draft, struct berm_plan **ret_plan,
				   struct berm_err *err);

/* plan_spec.c: the back-end and what it can do; in the end what the filter does. */
void build_backend(struct build *build);
void build_spec(struct build *build);

/* plan_rights.c: the nodes of everything that is granted, and their rights; then what lies around and below each node,
 * minus what is denied. */
MUST_USE enum berm_code build_rights(struct build *build, struct berm_err *err);
MUST_USE enum berm_code build_outer(struct build *build, struct berm_err *err);
void build_spread(struct build *build);
/* The rights that the trees around a node give it. */
unsigned build_rights_around(const struct path_node *node);

/* plan_ask.c: what may be asked for. */
bool build_wants_asks(const struct berm_caps *caps);
MUST_USE enum berm_code build_asks(struct build *build, struct berm_err *err);

/* plan_rules.c: nodes and rules of everything that narrows; then the index. */
MUST_USE enum berm_code build_rules(struct build *build, struct berm_err *err);
MUST_USE enum berm_code build_index(struct build *build, struct berm_err *err);

/* plan_narrow.c: what each narrowing line needs on this machine: masks, chains, governed rights, or nothing. */
MUST_USE enum berm_code build_narrow(struct build *build, struct berm_err *err);
/* Closes one name that exists. *ret_done: false if there are too many names around it. */
MUST_USE enum berm_code build_close(struct build *build, struct path_node *node, bool *ret_done, struct berm_err *err);

/* plan_walk.c: looks through the folders that are marked for it, and closes what a deny pattern matches. */
MUST_USE enum berm_code build_walk(struct build *build, struct berm_err *err);

/* plan_grants.c: grants, masks, links, scratches, sockets. */
MUST_USE enum berm_code build_grants(struct build *build, struct berm_err *err);
/* How many rules touch a granted node, and which of its rights are governed. */
uint32_t build_protects(const struct build *build, const struct path_node *node);
uint32_t build_denies(const struct build *build, const struct path_node *node);
uint32_t build_reads(const struct path_node *node); /* deny lines for which reading is governed */
unsigned build_governs(const struct build *build, const struct path_node *node);
/* Does the sandbox have something of its own in this place, so that no grant is made of it? */
bool build_has_own(const struct build *build, const struct path_node *node);

/* How a line is held, in words; what is refused names a fact or what is needed. All texts live as long as the plan. */
struct words {
	const char *enforcer, *note;
	enum berm_hold hold;
	const char *needs, *way_out; /* REFUSED */
	bool told_only;		     /* REFUSED, but no reason not to start: nothing asks for it here */
};

/* plan_lines.c: the words for all of it, and whether a line is refused. */
MUST_USE enum berm_code build_lines(struct build *build, struct berm_err *err);
/* A text of the plan's own, at most 500 bytes; "" when memory is out, which build_lines tells in the end. */
const char *build_say(struct build *build, const char *format, ...) PRINTF_LIKE(2, 3);
/* Who keeps closed what is not granted. */
const char *build_base(const struct build *build);

/* plan_guarantees.c: what every sandbox has, by a table; index from 0, false past the end. */
bool build_guarantee(struct build *build, size_t index, const char **ret_guarantee, const char **ret_line,
		     struct words *ret_words);

#endif
