"""berm why: the answer, the line, the place, the exit status."""
import json
import os

from harness import equal, test_ways, true


@test_ways
def why_names_the_line(place):
    place.folder("home/.ssh")
    place.file("home/.ssh/id", "key")
    result = place.berm("why", "read", f"{place.home}/.ssh/id")
    equal(result.status, 1)
    true(result.out.startswith("denied: filesystem.deny: ~/.ssh (groups/credentials.yaml:"), repr(result))
    result = place.berm("why", "read", "/etc/passwd").ok()
    true(result.out.startswith("allowed: filesystem.read: /etc (groups/system-read.yaml:"), repr(result))
    result = place.berm("why", "read", f"{place.home}/unknown")
    equal(result.status, 3)
    true(result.out.startswith("would be asked: ") and "try: -r" in result.out and "note: not there" in result.out, repr(result))
    equal(place.berm("why", "-r", f"{place.home}/unknown", "read", f"{place.home}/unknown/x").status, 0)


@test_ways
def why_looks_where_a_link_leads(place):
    place.folder("home/.ssh")
    place.file("home/.ssh/id", "key")
    os.symlink(f"{place.home}/.ssh/id", os.path.join(place.work, "innocent"))
    result = place.berm("why", "read", "innocent")
    equal(result.status, 1)
    true("~/.ssh" in result.out, repr(result))


@test_ways
def why_and_the_run_agree(place):
    place.file("home/work/open", "a")
    place.file("home/work/a.env", "b")
    for name, status in (("open", 0), ("a.env", 1)):
        flags = ("--deny", "**/*.env")
        equal(place.berm("why", *flags, "read", name).status, status)
        equal(place.berm("run", *flags, "--", "cat", name).status, status)


@test_ways
def why_knows_what_is_there(place):
    place.folder("home/work/.git")
    place.file("home/work/.git/config", "[core]\n")
    place.file("home/work/shut", "x")
    os.chmod(f"{place.work}/shut", 0)
    os.symlink("gone", f"{place.work}/nowhere")
    for words, start in ((("write", ".git/config"), "allowed if the judge accepts the content: filesystem.protect: "),
                         (("read", "shut"), "denied: its own permissions"),
                         (("read", "nowhere"), "not there; "),
                         (("create", "shut"), "there already; "),
                         (("delete", ".git"), "a folder that is not empty; "),
                         (("create", "new"), "allowed: filesystem.write: . ("),
                         (("create", "/usr/new"), "would be asked: ")):
        result = place.berm("why", *words)
        true(result.out.startswith(start), f"{words}: {result!r}")


@test_ways
def why_tells_that_a_run_would_not_start(place):
    place.file("home/work/open", "a")
    flags = ("--backend", "namespaces", "--view", "hidden") if place.run("--backend", "namespaces", "--", "/bin/true").status else ()
    result = place.berm("why", *flags, "read", "open").ok()
    equal("does not start here" in result.err, bool(flags))


@test_ways
def why_takes_many_questions(place):
    place.file("home/work/open", "a")
    questions = "read\topen\ndelete\t/etc/passwd\nread\tnone\nconnect\texample.org:443\n"
    result = place.berm("why", "--batch", stdin=questions.encode()).ok()
    answers = [json.loads(line) for line in result.out.splitlines()]
    equal([answer["answer"] for answer in answers], ["allow", "ask", "allow", "ask"])
    equal([answer.get("errno") for answer in answers], [None, None, "ENOENT", None])
    equal(answers[0]["path"], os.path.realpath(f"{place.work}/open"))
    equal(place.berm("why", "--batch", stdin=b"frob\tx\n").status, 125)
    equal(place.berm("why", "--batch", "read", "x").status, 2)


@test_ways
def why_answers_for_hosts(place):
    answer = json.loads(place.berm("why", "--json", "-g", "code-hosting", "connect", "github.com:443").ok().out)
    equal(answer["answer"], "allow")
    true("code-hosting.yaml" in answer["at"] and "note" not in answer, repr(answer))
    equal(place.berm("why", "-n", "none", "GET", "https://github.com/").status, 1)
    equal(place.berm("why", "-n", "host", "connect", "10.0.0.1:22").status, 0)


@test_ways
def why_answers_for_requests_and_commands(place):
    place.file("p.yaml", "network:\n  allow:\n    - {to: api.example, by: [gh], http: ['GET /repos/**'], private: true}\n    - 10.0.0.0/8:5432\n"
               "commands:\n  - {run: 'git push **', decision: ask}\n  - {run: 'rm -rf /**', decision: deny}\n")
    for words, wanted, part in (
        (("--by", "gh", "GET", "https://api.example/repos/x?y"), "allow", ":3:"),
        (("--by", "gh", "PUT", "https://api.example/repos/x"), "ask", ""),
        (("GET", "https://api.example/repos/x"), "ask", ""),
        (("--by", "gh", "connect", "api.example"), "allow", ":3:"),
        (("connect", "10.1.2.3:5432"), "allow", ":4:"),
        (("connect", "10.1.2.3:22"), "ask", ""),
        (("run", "git", "push", "-f"), "ask", ":6:"),
        (("run", "/usr/bin/git push"), "ask", ":6:"),
        (("run", "rm", "-rf", "/a b"), "deny", ":7:"),
        (("run", "rm", "-rf /a"), "allow", ""),
    ):
        answer = json.loads(place.berm("why", "--json", "-p", os.path.join(place.base, "p.yaml"), *words).out)
        equal((words, answer["answer"]), (words, wanted))
        true(part in answer.get("at", ""), repr(answer))
        equal(answer.get("private", False), "api.example" in answer["text"] or "10.0" in answer["text"])
        equal(answer.get("by-request", False), words[-1] == "api.example")


@test_ways
def why_needs_a_question(place):
    for words in ((), ("read",), ("frob", "x"), ("read", "a", "b")):
        equal(place.berm("why", *words).status, 2)
