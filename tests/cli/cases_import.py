"""berm policy import: what is made is loaded, checked and run with; what is missing is the status."""
import json
import os

from harness import equal, test, true

SRT = '{"network": {"allowedDomains": [], "deniedDomains": []}, "filesystem": {"denyRead": ["~/.x"], "allowWrite": ["."]}}'
CLAUDE = '{"permissions": {"allow": ["Edit"], "deny": ["Read(**/.env)", "mcp__mail"]}}'


@test
def a_policy_is_imported_checked_and_run_with(place):
    place.file("home/work/srt.json", SRT)
    result = place.berm("policy", "import", "-o", "made.yaml", "srt.json")
    equal((result.status, result.out), (0, ""))
    true("taken for srt" in result.err, repr(result))
    place.berm("policy", "check", "made.yaml").ok()
    place.berm("run", "-p", "./made.yaml", "--", "true").ok()
    equal(place.berm("policy", "import", "-o", "made.yaml", "srt.json").status, 125)


@test
def a_deny_that_is_lost_is_the_status(place):
    place.file("home/work/settings.json", CLAUDE)
    result = place.berm("policy", "import", "--json", "settings.json")
    equal(result.status, 1)
    left = json.loads(result.out)["left"]
    equal([(line["what"], line["narrows"]) for line in left], [("mcp__mail", True)])
    result = place.berm("policy", "import", "settings.json")
    equal(result.status, 1)
    true("# MISSING" in result.out and '"**/.env"' in result.out.replace("'", '"'), repr(result))


@test
def what_is_no_known_policy_is_refused(place):
    place.file("home/work/other.json", '{"x": 1}')
    equal(place.berm("policy", "import", "other.json").status, 125)
    equal(place.berm("policy", "import", "--from", "odd", "other.json").status, 2)
    equal(place.berm("policy", "import").status, 2)
    true(not os.path.exists(os.path.join(place.base, "home/work/made.yaml")), "nothing is written")
