#!/usr/bin/env python3
# etcd.py: is an etcd member healthy, does it know a leader, and is there room in its database?
#
# It asks one member for /health and, by etcd's JSON gateway, for its status, its alarms and the member list.
#
#   ok     healthy, a leader, no alarm, the database below its limits
#   warn   the database above its `warn` limit; a member that has not started; a learner
#   fail   no answer; not healthy; no leader; an alarm (NOSPACE, CORRUPT); fewer members than wanted; the database above
#          its `fail` limit
#   void   the login was refused, or this is another service
#
# Settings, in brackets what holds without them. Sizes take k, M or G (1024).
#   --url URL          a client URL of the member [http://127.0.0.1:2379]
#   --members N        so many members have to be in the cluster [1]
#   --quota SIZE       the member's --quota-backend-bytes [2G]
#   --db-warn PERCENT  of the quota [80]        --db-fail PERCENT   [95]
#   --ca FILE          trust these authorities  --insecure   do not verify the certificate
#   --cert FILE --key FILE   the client certificate
#
# Needs: Python 3.9 or newer, etcd 3.4 or newer. Where etcd asks for a login: ETCD_USER and ETCD_PASSWORD in the
# environment, of a user with the root role (status and alarms take that).
#
#   targets:
#     - name: etcd-1
#       interval: 10s
#       timeout: 5s
#       exec:
#         - ./probes/contrib/etcd.py
#         - --url=https://10.0.0.31:2379
#         - --members=3
#         - --ca=/etc/etcd/ca.pem
#         - --cert=/etc/etcd/client.pem
#         - --key=/etc/etcd/client-key.pem

import argparse
import http.client
import json
import os
import ssl
import sys
import urllib.error
import urllib.request

LARGEST_ANSWER = 4 * 1024 * 1024


def finish(code, message, facts=None):
    text = " ".join(str(message).replace("|", "/").split())
    data = " ".join("'%s'=%s" % (label, value) for label, value in (facts or {}).items())
    print(text + (" | " + data if data else ""))
    sys.exit(code)


class NoRedirect(urllib.request.HTTPRedirectHandler):
    # It would take the login along, to wherever it leads.
    def redirect_request(self, *_):
        return None


def whole(answer):
    """The body. Where read() has a limit, http.client does not say that the end is missing."""
    body = answer.read(LARGEST_ANSWER)
    missing = getattr(answer, "length", None)
    if missing and len(body) < LARGEST_ANSWER:
        raise http.client.IncompleteRead(body, missing)
    return body


def sent(opener, request, timeout):
    """The answer, whatever its status."""
    try:
        return opener.open(request, timeout=timeout)
    except urllib.error.HTTPError as error:
        return error


class Parser(argparse.ArgumentParser):
    def error(self, message):
        finish(3, message)


def size(text):
    factors = {"k": 1024, "M": 1024**2, "G": 1024**3}
    if text[-1:] in factors:
        return int(text[:-1]) * factors[text[-1]]
    return int(text)


def settings():
    parser = Parser(allow_abbrev=False)
    parser.add_argument("--url", default="http://127.0.0.1:2379")
    parser.add_argument("--members", type=int, default=1)
    parser.add_argument("--quota", type=size, default=2 * 1024**3)
    parser.add_argument("--db-warn", type=float, default=80)
    parser.add_argument("--db-fail", type=float, default=95)
    parser.add_argument("--ca")
    parser.add_argument("--cert")
    parser.add_argument("--key")
    parser.add_argument("--insecure", action="store_true")
    return parser.parse_args()


def client(given):
    try:
        trust = ssl.create_default_context(cafile=given.ca)
        if given.cert:
            trust.load_cert_chain(given.cert, given.key)
    except (OSError, ssl.SSLError) as error:
        finish(3, "the TLS files cannot be used: %s" % error)
    if given.insecure:
        trust.check_hostname = False
        trust.verify_mode = ssl.CERT_NONE
    # Proxies of the environment would be asked in the target's place.
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=trust), NoRedirect
    )
    timeout = float(os.environ.get("VITALD_TIMEOUT_MS") or 10000) / 1000
    headers = {"Content-Type": "application/json"}

    def ask(path, body=None):
        """The status and the JSON of an answer; a body makes it a POST."""
        data = None if body is None else json.dumps(body).encode()
        try:
            request = urllib.request.Request(given.url.rstrip("/") + path, data=data, headers=headers)
            with sent(opener, request, timeout) as answer:
                status, text = answer.status, whole(answer)
        except ValueError as error:
            finish(3, error)
        except (OSError, http.client.HTTPException) as error:
            finish(2, "no answer: %s" % getattr(error, "reason", error))
        try:
            return status, json.loads(text)
        except (ValueError, RecursionError):
            finish(2 if status >= 500 else 3, "no JSON, but status %d: is this etcd?" % status)

    def call(path, body):
        """What a method of the gateway answers."""
        status, answer = ask(path, body)
        if status == 200:
            return answer
        why = answer.get("message") or answer.get("error") or "status %d" % status
        if status in (401, 403) or "permission denied" in why or "user name is empty" in why or "authentication failed" in why:
            finish(3, "the login was refused: %s" % why)
        if status == 404:
            finish(3, "there is no %s here: is this etcd 3.4 or newer?" % path)
        finish(2, "%s: %s" % (path, why))

    def log_in():
        user = {"name": os.environ["ETCD_USER"], "password": os.environ.get("ETCD_PASSWORD", "")}
        headers["Authorization"] = call("/v3/auth/authenticate", user)["token"]

    return ask, call, log_in


def main():
    given = settings()
    ask, call, log_in = client(given)
    status, health = ask("/health")
    if not isinstance(health, dict) or "health" not in health:
        finish(3, "no health in the answer: is this etcd?")
    if status != 200 or health["health"] != "true":
        # The gateway would wait for the leader that is not there.
        why = health.get("reason")
        finish(2, "the member is not healthy%s" % (": " + why if why else ": no leader, or no quorum"))
    if os.environ.get("ETCD_USER"):
        log_in()

    # Proto3 leaves out what is zero, and writes 64 bits as text.
    state = call("/v3/maintenance/status", {})
    alarms = call("/v3/maintenance/alarm", {"action": "GET"}).get("alarms", [])
    members = call("/v3/cluster/member/list", {}).get("members", [])
    names = {member.get("ID"): member.get("name") or "?" for member in members}
    held = int(state.get("dbSize", 0))
    share = 100.0 * held / given.quota
    facts = {
        "members": len(members),
        "db": "%dB;%d;%d;0;%d"
        % (held, given.quota * given.db_warn / 100, given.quota * given.db_fail / 100, given.quota),
        "db_in_use": "%sB" % state.get("dbSizeInUse", 0),
        "db_used": "%.1f%%;%g;%g;0;100" % (share, given.db_warn, given.db_fail),
        "raft_term": state.get("raftTerm", 0),
        "raft_index": state.get("raftIndex", 0),
    }
    fails, warns = [], []
    leader = state.get("leader", "0")
    if leader == "0":
        fails.append("no leader")
    for alarm in alarms:
        owner = names.get(alarm.get("memberID"), alarm.get("memberID"))
        fails.append("alarm %s of member %s" % (alarm.get("alarm", "NONE"), owner))
    if len(members) < given.members:
        fails.append("%d of %d members" % (len(members), given.members))
    unstarted = sum(1 for member in members if not member.get("name"))
    if unstarted:
        warns.append("members that have not started: %d" % unstarted)
    if state.get("isLearner"):
        warns.append("this member is a learner")
    if share >= given.db_warn:
        (fails if share >= given.db_fail else warns).append("the database fills %.0f %% of its quota" % share)

    if fails or warns:
        finish(2 if fails else 1, "; ".join(fails + warns), facts)
    role = "leads" if leader == state["header"].get("member_id") else "follows %s" % names.get(leader, leader)
    finish(0, "healthy, %s, %d members, the database fills %.0f %%" % (role, len(members), share), facts)


if __name__ == "__main__":
    try:
        main()
    except Exception as error:
        # Python would end with 1, which means `warn`.
        finish(3, "an answer that this script does not understand: %r" % error)
