#!/usr/bin/env python3
# elasticsearch.py: is an Elasticsearch or OpenSearch cluster healthy, and are all its nodes in it?
#
# It asks one node for _cluster/health and for _cat/nodes.
#
#   ok     green (or yellow, with --yellow ok), all wanted nodes are in, and there is a master
#   warn   yellow; more unassigned shards or pending tasks than their `warn` limit
#   fail   no answer; red; no master; fewer nodes than wanted, or a named one is missing
#   void   the login was refused, or this is another service
#
# Settings, in brackets what holds without them.
#   --url URL              [http://127.0.0.1:9200]
#   --nodes N              so many nodes have to be in the cluster [1]
#   --data-nodes N         of them with data [none]
#   --names A,B            these nodes have to be in it [none]
#   --yellow STATUS        what yellow is: ok, warn or fail [warn]
#   --unassigned-warn N    unassigned shards, whatever the colour [none]
#   --pending-warn N       cluster tasks that wait [100]
#   --ca FILE              trust these authorities      --insecure   do not verify the certificate
#
# Needs: Python 3.9 or newer; a user with the cluster privilege `monitor`. How to log in stands in the environment:
# ES_USER and ES_PASSWORD, or ES_API_KEY, or ES_TOKEN.
#
#   targets:
#     - name: search-cluster
#       interval: 15s
#       timeout: 10s
#       exec:
#         command: [./probes/contrib/elasticsearch.py, --url, "https://10.0.0.20:9200", --nodes, "3", --ca, /etc/ssl/search.pem]
#         env: { ES_USER: vitald, ES_PASSWORD: "${SEARCH_PASSWORD}" }

import argparse
import base64
import http.client
import json
import os
import ssl
import sys
import urllib.error
import urllib.request

LARGEST_ANSWER = 16 * 1024 * 1024


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


def settings():
    parser = Parser(allow_abbrev=False)
    parser.add_argument("--url", default="http://127.0.0.1:9200")
    parser.add_argument("--nodes", type=int, default=1)
    parser.add_argument("--data-nodes", type=int, default=0)
    parser.add_argument("--names", default="")
    parser.add_argument("--yellow", choices=["ok", "warn", "fail"], default="warn")
    parser.add_argument("--unassigned-warn", type=int)
    parser.add_argument("--pending-warn", type=int, default=100)
    parser.add_argument("--ca")
    parser.add_argument("--insecure", action="store_true")
    return parser.parse_args()


def authorization():
    env = os.environ
    if env.get("ES_API_KEY"):
        return {"Authorization": "ApiKey " + env["ES_API_KEY"]}
    if env.get("ES_TOKEN"):
        return {"Authorization": "Bearer " + env["ES_TOKEN"]}
    if env.get("ES_USER"):
        pair = env["ES_USER"] + ":" + env.get("ES_PASSWORD", "")
        return {"Authorization": "Basic " + base64.b64encode(pair.encode()).decode()}
    return {}


def client(given):
    try:
        trust = ssl.create_default_context(cafile=given.ca)
    except (OSError, ssl.SSLError) as error:
        finish(3, "%s cannot be used: %s" % (given.ca, error))
    if given.insecure:
        trust.check_hostname = False
        trust.verify_mode = ssl.CERT_NONE
    # Proxies of the environment would be asked in the target's place.
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=trust), NoRedirect
    )
    timeout = float(os.environ.get("VITALD_TIMEOUT_MS") or 10000) / 1000

    def get(path):
        """The status and the JSON of an answer."""
        try:
            request = urllib.request.Request(given.url.rstrip("/") + path, headers=authorization())
            with sent(opener, request, timeout) as answer:
                status, body = answer.status, whole(answer)
        except ValueError as error:
            finish(3, error)
        except (OSError, http.client.HTTPException) as error:
            finish(2, "no answer: %s" % getattr(error, "reason", error))
        if status in (401, 403):
            finish(3, "the login was refused: status %d" % status)
        try:
            return status, json.loads(body)
        except (ValueError, RecursionError):
            finish(2 if status >= 500 else 3, "no JSON, but status %d: is this Elasticsearch?" % status)

    return get


def main():
    given = settings()
    get = client(given)
    status, health = get("/_cluster/health")
    if status == 503 or "master_not_discovered" in json.dumps(health):
        finish(2, "the cluster has no master: this node knows of none")
    if status != 200 or not isinstance(health, dict) or "status" not in health:
        finish(2 if status >= 500 else 3, "status %d from _cluster/health: is this Elasticsearch?" % status)

    colour = health["status"]
    nodes, data_nodes = health["number_of_nodes"], health["number_of_data_nodes"]
    unassigned, pending = health["unassigned_shards"], health.get("number_of_pending_tasks", 0)
    facts = {
        "nodes": nodes,
        "data_nodes": data_nodes,
        "active_shards": health["active_shards"],
        "unassigned_shards": unassigned,
        "relocating_shards": health.get("relocating_shards", 0),
        "pending_tasks": pending,
    }
    fails, warns = [], []
    if colour == "red":
        fails.append("red: data is missing, %d shards unassigned" % unassigned)
    elif colour == "yellow" and given.yellow != "ok":
        text = "yellow: %d shards unassigned" % unassigned
        (fails if given.yellow == "fail" else warns).append(text)
    if nodes < given.nodes:
        fails.append("%d of %d nodes" % (nodes, given.nodes))
    if data_nodes < given.data_nodes:
        fails.append("%d of %d data nodes" % (data_nodes, given.data_nodes))
    if given.unassigned_warn is not None and unassigned >= given.unassigned_warn and colour == "green":
        warns.append("%d shards unassigned" % unassigned)
    if pending >= given.pending_warn:
        warns.append("%d cluster tasks wait" % pending)

    status, rows = get("/_cat/nodes?format=json&h=name,master")
    master = "?"
    if status == 200 and isinstance(rows, list):
        names = {row.get("name") for row in rows}
        master = next((row.get("name") for row in rows if row.get("master") == "*"), None)
        if master is None:
            fails.append("no node is the master")
        missing = [name for name in given.names.split(",") if name and name not in names]
        if missing:
            fails.append("not in the cluster: %s" % ", ".join(missing))
    else:
        fails.append("status %d from _cat/nodes" % status)

    name = health.get("cluster_name", "?")
    if fails or warns:
        finish(2 if fails else 1, "cluster %s: %s" % (name, "; ".join(fails + warns)), facts)
    finish(0, "cluster %s is %s: %d nodes, the master is %s" % (name, colour, nodes, master), facts)


if __name__ == "__main__":
    try:
        main()
    except Exception as error:
        # Python would end with 1, which means `warn`.
        finish(3, "an answer that this script does not understand: %r" % error)
