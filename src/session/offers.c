#include "session/offers.h"

#include "base/own.h"
#include "policy/floor.h"

enum { ARENA_MAX = 16 * 1024 * 1024 };

enum berm_code offers_judge(const struct policy_input *input, struct learn_policy *rules,
			    const struct learn_events *events, struct learn *learn, struct berm_err *err)
{
	const struct learn_judge judge = {
		.home = input->real_home != NULL ? input->real_home : input->home,
		.workspace = input->workspace,
		.context = rules,
		.look = learn_policy_look,
	};
	return learn_make(events->items.items, events->items.len, &judge, learn, err);
}

static enum berm_code fill(struct offers *offers, const struct policy_input *input, const struct denials *denials,
			   struct berm_err *err)
{
	auto_learn_policy struct learn_policy *rules = NULL;
	const struct floor_places places = floor_places_of(input);
	auto_buf struct buf text;
	buf_init(&text, DENIALS_MAX_BYTES + EVENT_LINE_MAX);
	denials_text(denials, &text);
	TRY(buf_check(&text, err));
	offers->dropped = denials_dropped(denials);
	TRY(event_parse_all(&offers->arena, buf_str(&text), DENIALS_MAX, &offers->denials, err));
	offers->denials.lines = NULL; /* they lie in the text */
	TRY(learn_events_read(&offers->events, buf_str(&text), "denials", NULL, err));
	TRY(learn_policy_new(input->policy, &places, &rules, err));
	return offers_judge(input, rules, &offers->events, &offers->learn, err);
}

enum berm_code offers_new(const struct policy_input *input, const struct denials *denials, struct offers **ret_offers,
			  struct berm_err *err)
{
	struct offers *offers = calloc(1, sizeof *offers);
	if (offers == NULL)
		return err_set(err, BERM_ERR_NOMEM, "look at what was denied");
	arena_init(&offers->arena, ARENA_MAX);
	learn_events_init(&offers->events);
	learn_init(&offers->learn);
	enum berm_code code = fill(offers, input, denials, err);
	if (code == BERM_OK)
		*ret_offers = offers;
	else
		offers_free(offers);
	return code;
}

void offers_free(struct offers *offers)
{
	if (offers == NULL)
		return;
	learn_done(&offers->learn);
	learn_events_done(&offers->events);
	arena_done(&offers->arena);
	free(offers);
}

void offers_put_line(const struct learn_line *line, struct buf *out)
{
	buf_printf(out, "%s: %s", policy_keys[line->key].path, line->text);
}
