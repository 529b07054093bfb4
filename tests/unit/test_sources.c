#include "check.h"

#include "sources_rig.h"

#include "policy/input.h"
#include "session/consent.h"
#include "session/sources.h"

struct rig {
	const struct place_rig *place;
	struct sources_request request;
	char config[PLACE_PATH + 32], state[PLACE_PATH + 32], profile[64];
	const char *envp[4];
	struct sources *sources;
	struct policy *policy;
	struct problems problems;
	struct berm_err err;
};

static void rig_done(struct rig *rig)
{
	policy_free(rig->policy);
	sources_free(rig->sources);
	rig->policy = NULL;
	rig->sources = NULL;
}

#define auto_rig __attribute__((cleanup(rig_done)))

static void rig_init(struct rig *rig, void **state)
{
	*rig = (struct rig){.place = *state};
	(void)snprintf(rig->config, sizeof rig->config, "BERM_CONFIG_DIR=%s", in_place(rig->place, "config"));
	(void)snprintf(rig->state, sizeof rig->state, "BERM_STATE_DIR=%s", in_place(rig->place, "state/berm"));
	rig->envp[0] = rig->config;
	rig->envp[1] = rig->state;
	rig->request = (struct sources_request){.cwd = rig->place->root, .home = "/home/u", .envp = rig->envp};
	rig->request.system_folder = in_place(rig->place, "system");
	place_put(rig->place, "w/file", "x");
}

static enum berm_code rig_open(struct rig *rig)
{
	rig_done(rig);
	rig->problems = (struct problems){0};
	rig->request.workspace = in_place(rig->place, "w");
	return sources_open(&rig->request, &rig->sources, &rig->problems, &rig->err);
}

static enum berm_code rig_make(struct rig *rig)
{
	TRY(rig_open(rig));
	const struct policy_input input = {
		.home = "/home/u", .workspace = rig->request.workspace, .cwd = "/", .os = "linux"};
	return policy_make(sources_layers(rig->sources), &input, &rig->policy, &rig->problems, &rig->err);
}

#define MADE(rig)                                                                                                      \
	do {                                                                                                           \
		if (rig_make(rig) != BERM_OK)                                                                          \
			fail_msg("%s", (rig)->err.msg);                                                                \
	} while (0)
#define REFUSED(rig, code, part)                                                                                       \
	do {                                                                                                           \
		assert_int_equal(rig_open(rig), code);                                                                 \
		assert_null((rig)->sources);                                                                           \
		assert_non_null(strstr((rig)->err.msg, part));                                                         \
	} while (0)

__attribute__((noinline)) static const struct policy_entry *entry_of(const struct rig *rig, enum policy_key key,
								     const char *text)
{
	for (size_t i = 0; i < rig->policy->count; i++)
		if (rig->policy->entries[i].line->key == key && strcmp(rig->policy->entries[i].line->text, text) == 0)
			return &rig->policy->entries[i];
	return NULL;
}

static const char *profile_of(const struct rig *rig, bool expect_program)
{
	bool by_program = !expect_program;
	const char *profile = sources_profile(rig->sources, &by_program);
	assert_int_equal(by_program, expect_program);
	return profile;
}

static bool was_read(const struct rig *rig, const char *name)
{
	const char *file;
	for (size_t i = 0; (file = sources_file(rig->sources, i)) != NULL; i++)
		if (strcmp(file, in_place(rig->place, name)) == 0)
			return true;
	return false;
}

/* ---- which profile ----------------------------------------------------------------------------------------------- */

static void test_without_anything_it_is_the_default(void **state)
{
	auto_rig struct rig rig;
	rig_init(&rig, state);
	MADE(&rig);
	assert_string_equal(profile_of(&rig, false), "default");
	assert_non_null(entry_of(&rig, KEY_DENY, "~/.ssh"));
	assert_non_null(entry_of(&rig, KEY_WRITE, "."));
	assert_null(sources_file(rig.sources, 0));
	assert_string_equal(sources_config_folder(rig.sources), in_place(rig.place, "config"));
	assert_null(sources_project(rig.sources));
}

static void test_profiles_by_name_and_by_file(void **state)
{
	auto_rig struct rig rig;
	rig_init(&rig, state);
	place_put(rig.place, "config/profiles/mine.yaml", "berm: 1\nextends: []\nfilesystem: {read: [/opt/mine]}\n");
	place_put(rig.place, "here/p.yaml", "berm: 1\nextends: [mine]\nfilesystem: {read: [/opt/here, .]}\n");
	rig.request.profiles = (const char *const[]){"mine", "./here/p.yaml", NULL};
	MADE(&rig);
	assert_string_equal(profile_of(&rig, false), "mine+./here/p.yaml");
	assert_non_null(entry_of(&rig, KEY_READ, "/opt/mine"));
	assert_non_null(entry_of(&rig, KEY_READ, "/opt/here"));
	assert_string_equal(entry_of(&rig, KEY_READ, ".")->path, rig.request.workspace);
	assert_null(entry_of(&rig, KEY_WRITE, "."));
	assert_true(was_read(&rig, "config/profiles/mine.yaml") && was_read(&rig, "here/p.yaml"));
	rig.request.profiles = (const char *const[]){"defalt", NULL};
	REFUSED(&rig, BERM_ERR_NOTFOUND, "no such profile: 'defalt'");
	assert_string_equal(rig.problems.items[0].hint, "-p default");
	rig.request.profiles = (const char *const[]){"./none.yaml", NULL};
	REFUSED(&rig, BERM_ERR_NOTFOUND, "there is no");
	rig.request.profiles = (const char *const[]){"/dev/zero", NULL};
	REFUSED(&rig, BERM_ERR_DENIED, "no regular file");
}

static void test_the_environment_names_a_profile(void **state)
{
	auto_rig struct rig rig;
	rig_init(&rig, state);
	place_put(rig.place, "config/profiles/mine.yaml", "berm: 1\nextends: []\nprograms: [tool]\n");
	rig.envp[2] = "BERM_PROFILE=none";
	rig.request.program = "/usr/bin/tool";
	MADE(&rig);
	assert_string_equal(profile_of(&rig, false), "none");
	rig.request.profiles = (const char *const[]){"mine", NULL};
	MADE(&rig);
	assert_string_equal(profile_of(&rig, false), "mine");
}

static void test_a_program_has_a_profile(void **state)
{
	auto_rig struct rig rig;
	rig_init(&rig, state);
	place_put(rig.place, "config/profiles/mine.yaml", "berm: 1\nextends: []\nprograms: [tool, other]\n");
	rig.request.program = "/usr/bin/other";
	MADE(&rig);
	assert_string_equal(profile_of(&rig, true), "mine");
	rig.request.program = "elsewhere";
	MADE(&rig);
	assert_string_equal(profile_of(&rig, false), "default");
}

static void test_policy_yaml_stands_in_for_the_default(void **state)
{
	auto_rig struct rig rig;
	rig_init(&rig, state);
	place_put(rig.place, "config/policy.yaml", "berm: 1\nfilesystem: {read: [/opt/x]}\n");
	MADE(&rig);
	assert_string_equal(profile_of(&rig, false), "default");
	assert_int_equal(entry_of(&rig, KEY_READ, "/opt/x")->layer, LAYER_USER);
	place_put(rig.place, "config/policy.yaml", "berm: 1\nextends: []\nfilesystem: {read: [/opt/x]}\n");
	MADE(&rig);
	assert_string_equal(profile_of(&rig, false), "policy.yaml");
	assert_null(entry_of(&rig, KEY_WRITE, "."));
	rig.request.profiles = (const char *const[]){"default", NULL};
	MADE(&rig);
	assert_non_null(entry_of(&rig, KEY_WRITE, "."));
}

static void test_without_a_profile_only_what_narrows_stays(void **state)
{
	auto_rig struct rig rig;
	rig_init(&rig, state);
	place_put(rig.place, "config/policy.yaml",
		  "berm: 1\nextends: [default]\nfilesystem: {read: [/opt/x], deny: [/opt/y]}\nnetwork: {mode: host}\n");
	rig.request.no_profile = true;
	MADE(&rig);
	assert_string_equal(profile_of(&rig, false), "none");
	assert_null(entry_of(&rig, KEY_READ, "/opt/x"));
	assert_null(entry_of(&rig, KEY_WRITE, "."));
	assert_null(entry_of(&rig, KEY_NET_MODE, "host"));
	assert_non_null(entry_of(&rig, KEY_DENY, "/opt/y"));
	assert_non_null(entry_of(&rig, KEY_DENY, "~/.ssh"));
}

/* ---- groups of the user's ---------------------------------------------------------------------------------------- */

static void test_groups_of_the_user(void **state)
{
	auto_rig struct rig rig;
	rig_init(&rig, state);
	place_put(rig.place, "config/groups/corp.yaml", "berm: 1\nfilesystem: {read: [/opt/corp]}\n");
	place_put(rig.place, "config/groups/.hidden.yaml", "broken [");
	place_put(rig.place, "config/groups/notes.txt", "broken [");
	place_put(rig.place, "config/policy.yaml", "berm: 1\ngroups: [corp]\n");
	MADE(&rig);
	assert_int_equal(entry_of(&rig, KEY_READ, "/opt/corp")->layer, LAYER_GROUP);
	place_put(rig.place, "config/policy.yaml", "berm: 1\ngroups: [corq]\n");
	assert_int_equal(rig_make(&rig), BERM_ERR_PARSE);
	assert_string_equal(rig.problems.items[0].hint, "corp");
}

static void test_a_broken_file_starts_nothing(void **state)
{
	auto_rig struct rig rig;
	rig_init(&rig, state);
	place_put(rig.place, "config/groups/corp.yaml", "berm: 1\nfilesystem: {raed: [/opt/corp]}\n");
	assert_int_equal(rig_make(&rig), BERM_ERR_PARSE);
	assert_int_equal(rig.problems.items[0].line, 2);
	place_put(rig.place, "config/groups/corp.yaml", "berm: 1\nname: other\n");
	assert_int_equal(rig_make(&rig), BERM_ERR_PARSE);
	assert_non_null(strstr(rig.err.msg, "calls itself 'other'"));
	(void)unlink(in_place(rig.place, "config/groups/corp.yaml"));
	place_put(rig.place, "config/policy.yaml", "berm: 1\nbroken\n");
	assert_int_equal(rig_make(&rig), BERM_ERR_PARSE);
}

static void test_a_required_group_is_not_replaced(void **state)
{
	auto_rig struct rig rig;
	rig_init(&rig, state);
	place_put(rig.place, "config/groups/credentials.yaml", "berm: 1\n");
	assert_int_equal(rig_make(&rig), BERM_ERR_PARSE);
	assert_non_null(strstr(rig.err.msg, "is a required group"));
	(void)unlink(in_place(rig.place, "config/groups/credentials.yaml"));
	place_put(rig.place, "config/groups/CREDENTIALS.yaml", "berm: 1\n");
	MADE(&rig);
	assert_non_null(entry_of(&rig, KEY_DENY, "~/.ssh"));
}

/* ---- who may write it -------------------------------------------------------------------------------------------- */

static void test_what_others_may_write_is_refused(void **state)
{
	auto_rig struct rig rig;
	rig_init(&rig, state);
	place_put(rig.place, "config/policy.yaml", "berm: 1\n");
	place_put(rig.place, "config/profiles/p.yaml", "berm: 1\n");
	static const char *const names[] = {"config", "config/policy.yaml", "config/profiles",
					    "config/profiles/p.yaml"};
	rig.request.profiles = (const char *const[]){"p", NULL};
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct stat st;
		assert_int_equal(stat(in_place(rig.place, names[i]), &st), 0);
		assert_int_equal(chmod(in_place(rig.place, names[i]), st.st_mode | S_IWGRP), 0);
		assert_int_not_equal(rig_open(&rig), BERM_OK);
		assert_non_null(strstr(rig.err.msg, "others may write"));
		assert_int_equal(chmod(in_place(rig.place, names[i]), st.st_mode | S_IWOTH), 0);
		assert_int_not_equal(rig_open(&rig), BERM_OK);
		assert_int_equal(chmod(in_place(rig.place, names[i]), st.st_mode), 0);
		assert_int_equal(rig_open(&rig), BERM_OK);
	}
	if (geteuid() != 0)
		return;
	assert_int_equal(chown(in_place(rig.place, "config"), 12345, 0), 0);
	REFUSED(&rig, BERM_ERR_DENIED, "belongs to somebody else (user 12345)");
}

/* ---- the system's ------------------------------------------------------------------------------------------------ */

static void test_the_systems_files_come_first(void **state)
{
	auto_rig struct rig rig;
	rig_init(&rig, state);
	place_put(rig.place, "system/b.yaml", "berm: 1\nfilesystem: {deny: [/srv/b]}\n");
	place_put(rig.place, "system/a.yaml", "berm: 1\nfilesystem: {deny: [/srv/a]}\nnetwork: {mode: none}\n");
	place_put(rig.place, "system/README", "not a policy");
	MADE(&rig);
	assert_int_equal(entry_of(&rig, KEY_DENY, "/srv/a")->layer, LAYER_SYSTEM);
	assert_ptr_equal(entry_of(&rig, KEY_DENY, "/srv/a"), &rig.policy->entries[0]);
	assert_ptr_equal(entry_of(&rig, KEY_DENY, "/srv/b"), &rig.policy->entries[1]);
	assert_string_equal(rig.policy->setting[KEY_NET_MODE]->line->text, "none");
	assert_int_equal(chmod(in_place(rig.place, "system/a.yaml"), 0666), 0);
	REFUSED(&rig, BERM_ERR_DENIED, "others may write");
	assert_int_equal(chmod(in_place(rig.place, "system/a.yaml"), 0644), 0);
	place_put(rig.place, "system/a.yaml", "berm: 1\nfilesystem: {dney: [/srv/a]}\n");
	assert_int_equal(rig_open(&rig), BERM_ERR_PARSE);
}

/* ---- the project's file: hostile --------------------------------------------------------------------------------- */

static void test_a_project_narrows(void **state)
{
	auto_rig struct rig rig;
	rig_init(&rig, state);
	place_put(rig.place, "w/.berm.yaml", "berm: 1\nfilesystem: {deny: [private]}\n");
	MADE(&rig);
	const struct policy_entry *deny = entry_of(&rig, KEY_DENY, "private");
	assert_int_equal(deny->layer, LAYER_PROJECT);
	assert_string_equal(deny->path, in_place(rig.place, "w/private"));
	assert_true(was_read(&rig, "w/.berm.yaml"));
	assert_null(sources_unaccepted(rig.sources));
	assert_non_null(sources_project(rig.sources));
}

static void test_a_project_widens_nothing(void **state)
{
	auto_rig struct rig rig;
	rig_init(&rig, state);
	static const char *const texts[] = {
		"berm: 1\nfilesystem: {read: [/opt]}\n",
		"berm: 1\nfilesystem: {\"read\": [/opt]}\n",
		"{\"berm\": 1, \"filesystem\": {\"read\": [\"/opt\"]}}",
		"berm: 1\noverride: [{path: ~/.ssh, why: please}]\n",
		"berm: 1\ngroups: [docker]\n",
		"berm: 1\ngroups: [-credentials]\n",
		"berm: 1\ngroups: [-Credentials]\n",
		"berm: 1\ngroups: [../../w/evil]\n",
		"berm: 1\nextends: [../w/evil]\n",
		"berm: 1\nnetwork: {mode: host}\n",
		"berm: 1\nenvironment: {set: {LD_PRELOAD: ./x.so}}\n",
		"berm: 1\nprocess: {may: [ptrace]}\n",
		"berm: 1\nfilesystem: {deny: [{path: ~/.ssh, except: [~/.ssh]}], read: [~/.ssh]}\n",
		"berm: 1\nfilesystem: {deny: [/a]}\nfilesystem: {read: [/opt]}\n",
		"berm: 1\n--- \nfilesystem: {read: [/opt]}\n",
		"berm: 1\nFilesystem: {read: [/opt]}\n",
		"\xff\xfe",
	};
	place_put(rig.place, "w/evil.yaml", "berm: 1\nextends: []\nfilesystem: {read: [/opt]}\n");
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		place_put(rig.place, "w/.berm.yaml", texts[i]);
		enum berm_code code = rig_make(&rig);
		if (code == BERM_OK)
			fail_msg("was taken: %s", texts[i]);
		assert_int_equal(code, BERM_ERR_PARSE);
	}
}

static void test_a_projects_file_is_no_link(void **state)
{
	auto_rig struct rig rig;
	rig_init(&rig, state);
	place_put(rig.place, "elsewhere.yaml", "berm: 1\n");
	assert_int_equal(symlink(in_place(rig.place, "elsewhere.yaml"), in_place(rig.place, "w/.berm.yaml")), 0);
	REFUSED(&rig, BERM_ERR_DENIED, "is a symbolic link");
	assert_int_equal(unlink(in_place(rig.place, "w/.berm.yaml")), 0);
	assert_int_equal(symlink("/nowhere", in_place(rig.place, "w/.berm.yaml")), 0);
	REFUSED(&rig, BERM_ERR_DENIED, "is a symbolic link");
}

static void test_a_projects_file_is_a_small_file(void **state)
{
	auto_rig struct rig rig;
	rig_init(&rig, state);
	const char *path = in_place(rig.place, "w/.berm.yaml");
	assert_int_equal(mkfifo(path, 0644), 0);
	REFUSED(&rig, BERM_ERR_DENIED, "no regular file");
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0755), 0);
	REFUSED(&rig, BERM_ERR_DENIED, "no regular file");
	assert_int_equal(rmdir(path), 0);
	place_put(rig.place, "w/.berm.yaml", "berm: 1\n");
	assert_int_equal(truncate(path, 100L * 1024 * 1024), 0);
	REFUSED(&rig, BERM_ERR_LIMIT, "larger than 256 KiB");
}

/* ---- wants ------------------------------------------------------------------------------------------------------- */

static const char wishing[] = "berm: 1\nfilesystem: {deny: [private]}\nwants: {filesystem: {read: [/opt/sdk]}}\n";

static void test_what_is_wanted_counts_after_consent(void **state)
{
	auto_rig struct rig rig;
	rig_init(&rig, state);
	place_put(rig.place, "w/.berm.yaml", wishing);
	MADE(&rig);
	assert_null(entry_of(&rig, KEY_READ, "/opt/sdk"));
	assert_non_null(entry_of(&rig, KEY_DENY, "private"));
	const struct policy_doc *project = sources_unaccepted(rig.sources);
	assert_non_null(project);
	assert_int_equal(consent_store(sources_state_folder(rig.sources), project, &rig.err), BERM_OK);
	MADE(&rig);
	assert_null(sources_unaccepted(rig.sources));
	const struct policy_entry *read = entry_of(&rig, KEY_READ, "/opt/sdk");
	assert_int_equal(read->layer, LAYER_USER);
	assert_int_equal(read->line->line, 3);
	assert_string_equal(read->doc->file, in_place(rig.place, "w/.berm.yaml"));
	/* another content, then another place with the same content */
	place_put(rig.place, "w/.berm.yaml", "berm: 1\nwants: {filesystem: {read: [/opt/sdk, /]}}\n");
	MADE(&rig);
	assert_non_null(sources_unaccepted(rig.sources));
	assert_null(entry_of(&rig, KEY_READ, "/opt/sdk"));
	assert_int_equal(rename(in_place(rig.place, "w"), in_place(rig.place, "w2")), 0);
	place_put(rig.place, "w/.berm.yaml", wishing);
	MADE(&rig);
	assert_null(sources_unaccepted(rig.sources));
	place_put(rig.place, "v/.berm.yaml", wishing);
	assert_int_equal(rename(in_place(rig.place, "w"), in_place(rig.place, "w3")), 0);
	assert_int_equal(symlink(in_place(rig.place, "v"), in_place(rig.place, "w")), 0);
	MADE(&rig);
}

static void test_a_hash_is_a_consent_for_one_run(void **state)
{
	auto_rig struct rig rig;
	rig_init(&rig, state);
	char hash[CONSENT_HASH_CHARS + 1];
	place_put(rig.place, "w/.berm.yaml", wishing);
	MADE(&rig);
	consent_hash(sources_project(rig.sources), hash);
	rig.request.accept_hash = hash;
	MADE(&rig);
	assert_non_null(entry_of(&rig, KEY_READ, "/opt/sdk"));
	assert_null(sources_unaccepted(rig.sources));
	rig.request.accept_hash = NULL;
	MADE(&rig);
	assert_non_null(sources_unaccepted(rig.sources));
	hash[0] = hash[0] == '0' ? '1' : '0';
	rig.request.accept_hash = hash;
	REFUSED(&rig, BERM_ERR_DENIED, "is not the accepted one");
}

static void test_a_wish_lifts_no_deny(void **state)
{
	auto_rig struct rig rig;
	rig_init(&rig, state);
	place_put(rig.place, "w/.berm.yaml", "berm: 1\nwants: {filesystem: {read: [~/.aws]}}\n");
	assert_int_equal(rig_open(&rig), BERM_OK);
	assert_int_equal(consent_store(sources_state_folder(rig.sources), sources_project(rig.sources), &rig.err),
			 BERM_OK);
	assert_int_equal(rig_make(&rig), BERM_ERR_PARSE);
	assert_non_null(strstr(rig.err.msg, "and deny wins"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		on_place(test_without_anything_it_is_the_default),
		on_place(test_profiles_by_name_and_by_file),
		on_place(test_the_environment_names_a_profile),
		on_place(test_a_program_has_a_profile),
		on_place(test_policy_yaml_stands_in_for_the_default),
		on_place(test_without_a_profile_only_what_narrows_stays),
		on_place(test_groups_of_the_user),
		on_place(test_a_broken_file_starts_nothing),
		on_place(test_a_required_group_is_not_replaced),
		on_place(test_what_others_may_write_is_refused),
		on_place(test_the_systems_files_come_first),
		on_place(test_a_project_narrows),
		on_place(test_a_project_widens_nothing),
		on_place(test_a_projects_file_is_no_link),
		on_place(test_a_projects_file_is_a_small_file),
		on_place(test_what_is_wanted_counts_after_consent),
		on_place(test_a_hash_is_a_consent_for_one_run),
		on_place(test_a_wish_lifts_no_deny),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
