#!/usr/bin/env python3
# kubernetes-nodes.py: are a Kubernetes cluster's nodes ready, and are their leases fresh?
#
# It asks the API server for the nodes and for the leases in kube-node-lease, which each kubelet renews every 10 s. A
# stale lease is seen before the node controller sets Ready to Unknown. Ages are taken by the API server's clock.
#
#   ok     every node is ready, its lease fresh, and there are enough of them
#   warn   a node under memory, disk or PID pressure, or without network; a lease above its `warn` age; fewer nodes not
#          ready than --not-ready-fail
#   fail   no answer; so many nodes not ready, or with a lease above its `fail` age; too few ready nodes; the wanted node
#          does not exist
#   void   the token was refused, or may not list nodes
#
# Settings, in brackets what holds without them.
#   --server URL           [https://kubernetes.default.svc]
#   --token-file FILE      read at each attempt [the pod's service account's], or KUBE_TOKEN in the environment
#   --ca FILE              [the pod's service account's]      --insecure   do not verify the certificate
#   --node NAME            look at this node only
#   --selector LABELS      look at the nodes with these labels only, as `kubectl -l`
#   --ready N              so many nodes have to be ready [1]
#   --not-ready-fail N     so many nodes that are not ready are a failure [1]
#   --lease-warn SECONDS   [20]                               --lease-fail SECONDS   [40]
#
# Needs: Python 3.9 or newer; a service account that may get and list nodes and, in kube-node-lease, leases:
#   rules: [{ apiGroups: [""], resources: [nodes], verbs: [get, list] },
#           { apiGroups: [coordination.k8s.io], resources: [leases], verbs: [get, list] }]
#
#   targets:
#     - name: cluster-nodes
#       interval: 15s
#       timeout: 10s
#       exec: [./probes/contrib/kubernetes-nodes.py, --selector, pool=web, --ready, "3", --not-ready-fail, "2"]

import argparse
import datetime
import email.utils
import http.client
import json
import os
import ssl
import sys
import urllib.error
import urllib.parse
import urllib.request

ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount/"
LARGEST_ANSWER = 64 * 1024 * 1024
PAGE = 500
PRESSURES = {
    "MemoryPressure": "is short of memory",
    "DiskPressure": "is short of disk",
    "PIDPressure": "is short of process ids",
    "NetworkUnavailable": "has no network",
}
MOST_NAMED = 5


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


class Parser(argparse.ArgumentParser):
    def error(self, message):
        finish(3, message)


def settings():
    parser = Parser(allow_abbrev=False)
    parser.add_argument("--server", default="https://kubernetes.default.svc")
    parser.add_argument("--token-file", default=ACCOUNT + "token")
    parser.add_argument("--ca")
    parser.add_argument("--insecure", action="store_true")
    parser.add_argument("--node")
    parser.add_argument("--selector")
    parser.add_argument("--ready", type=int, default=1)
    parser.add_argument("--not-ready-fail", type=int, default=1)
    parser.add_argument("--lease-warn", type=float, default=20)
    parser.add_argument("--lease-fail", type=float, default=40)
    return parser.parse_args()


def token(given):
    if os.environ.get("KUBE_TOKEN"):
        return os.environ["KUBE_TOKEN"].strip()
    try:
        with open(given.token_file, encoding="ascii") as file:
            return file.read().strip()
    except (OSError, ValueError) as error:
        finish(3, "there is no token: %s" % error)


def client(given):
    ca = given.ca or (ACCOUNT + "ca.crt" if os.path.exists(ACCOUNT + "ca.crt") else None)
    try:
        trust = ssl.create_default_context(cafile=ca)
    except (OSError, ssl.SSLError) as error:
        finish(3, "%s cannot be used: %s" % (ca, error))
    if given.insecure:
        trust.check_hostname = False
        trust.verify_mode = ssl.CERT_NONE
    # Proxies of the environment would be asked in the target's place.
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=trust), NoRedirect
    )
    headers = {"Authorization": "Bearer " + token(given), "Accept": "application/json"}
    timeout = float(os.environ.get("VITALD_TIMEOUT_MS") or 10000) / 1000

    def get(path, query):
        """The JSON of an answer, and the server's time; None where there is no such thing."""
        url = given.server.rstrip("/") + path + "?" + urllib.parse.urlencode(query)
        try:
            request = urllib.request.Request(url, headers=headers)
            with opener.open(request, timeout=timeout) as answer:
                return json.loads(whole(answer)), server_time(answer.headers)
        except urllib.error.HTTPError as error:
            if error.code == 404:
                return None, None
            said = why(error)
            if error.code in (401, 403):
                finish(3, "the token was refused: %s" % said)
            finish(2, "the API server answers with %d: %s" % (error.code, said))
        except (json.JSONDecodeError, RecursionError):
            finish(3, "no JSON: is this a Kubernetes API server?")
        except ValueError as error:
            finish(3, error)
        except (OSError, http.client.HTTPException) as error:
            finish(2, "no answer from the API server: %s" % getattr(error, "reason", error))

    def everything(path, query):
        """The items of a list, over all its pages, and the server's time."""
        items, page = [], dict(query, limit=PAGE)
        while True:
            answer, now = get(path, page)
            if answer is None:
                return items, now
            items += answer["items"]
            following = answer.get("metadata", {}).get("continue")
            if not following:
                return items, now
            page["continue"] = following

    return get, everything


def why(error):
    try:
        return json.loads(whole(error)).get("message") or error.reason
    except (OSError, http.client.HTTPException, ValueError, RecursionError, AttributeError):
        return error.reason


def server_time(headers):
    try:
        return email.utils.parsedate_to_datetime(headers["Date"])
    except (TypeError, ValueError):
        return datetime.datetime.now(datetime.timezone.utc)


def age(renewed, now):
    """Seconds since a MicroTime such as 2026-01-02T03:04:05.678901Z."""
    then = datetime.datetime.fromisoformat(renewed.replace("Z", "+00:00"))
    return max(0.0, (now - then).total_seconds())


def named(troubles):
    rest = len(troubles) - MOST_NAMED
    return ", ".join(troubles[:MOST_NAMED]) + (" and %d more" % rest if rest > 0 else "")


def main():
    given = settings()
    get, everything = client(given)
    if given.node:
        node, _ = get("/api/v1/nodes/" + urllib.parse.quote(given.node), {})
        if node is None:
            finish(2, "there is no node %s" % given.node)
        nodes = [node]
    else:
        nodes, _ = everything("/api/v1/nodes", {"labelSelector": given.selector} if given.selector else {})
    leases, now = everything("/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases", {})
    renewals = {lease["metadata"]["name"]: lease.get("spec", {}).get("renewTime") for lease in leases}

    lost, warns, ready, cordoned, oldest = [], [], 0, 0, 0.0
    for node in nodes:
        name = node["metadata"]["name"]
        conditions = {one["type"]: one for one in node.get("status", {}).get("conditions", [])}
        cordoned += 1 if node.get("spec", {}).get("unschedulable") else 0
        state = conditions.get("Ready", {})
        stale = age(renewals[name], now) if renewals.get(name) else None
        oldest = max(oldest, stale or 0)
        if state.get("status") != "True":
            lost.append("%s (%s)" % (name, state.get("message") or state.get("reason") or "no Ready condition"))
            continue
        if stale is not None and stale >= given.lease_fail:
            lost.append("%s (its lease is %d s old)" % (name, stale))
            continue
        ready += 1
        if stale is None:
            warns.append("%s has no lease" % name)
        elif stale >= given.lease_warn:
            warns.append("the lease of %s is %d s old" % (name, stale))
        for kind, words in PRESSURES.items():
            if conditions.get(kind, {}).get("status") == "True":
                warns.append("%s %s" % (name, words))

    facts = {
        "nodes": len(nodes),
        "ready": ready,
        "not_ready": len(lost),
        "cordoned": cordoned,
        "oldest_lease": "%.1fs;%g;%g;0" % (oldest, given.lease_warn, given.lease_fail),
    }
    says = []
    if lost:
        says.append("%d of %d nodes not ready: %s" % (len(lost), len(nodes), named(lost)))
    failed = len(lost) >= given.not_ready_fail > 0
    if ready < given.ready:
        failed = True
        says.append("%d of %d wanted nodes ready" % (ready, given.ready))
    if warns:
        says.append(named(warns))
    if says:
        finish(2 if failed else 1, "; ".join(says), facts)
    finish(0, "%d nodes ready, the oldest lease is %d s old" % (ready, oldest), facts)


if __name__ == "__main__":
    try:
        main()
    except Exception as error:
        # Python would end with 1, which means `warn`.
        finish(3, "an answer that this script does not understand: %r" % error)
