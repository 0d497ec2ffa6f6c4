#!/usr/bin/env python3
# rabbitmq.py: does a RabbitMQ cluster run without alarms, and do its queues drain?
#
# It asks the management plugin of one node: its nodes, its alarms, and the queues that are named.
#
#   ok     every node runs, no alarm, and the queues are below their limits
#   warn   a queue above its `warn` depth
#   fail   no answer; a node that does not run; too few nodes; a memory or disk alarm (publishers are blocked); a network
#          partition; a queue that is missing, above its `fail` depth, or has too few consumers
#   void   the login was refused, or this is another service
#
# Settings, in brackets what holds without them.
#   --url URL            of the management plugin [http://127.0.0.1:15672]
#   --nodes N            so many nodes have to run [1]
#   --vhost NAME         of the queues [/]
#   --queue NAME         look at this queue; as often as there are some
#   --depth-warn N       messages in a queue [1000]      --depth-fail N   [10000]
#   --consumers N        a queue has to have so many [1]
#   --ca FILE            trust these authorities         --insecure   do not verify the certificate
#
# Needs: Python 3.9 or newer; on the node: rabbitmq-plugins enable rabbitmq_management; a user with the tag `monitoring`.
# How to log in stands in the environment: RABBITMQ_USER and RABBITMQ_PASSWORD.
#
#   targets:
#     - name: broker
#       interval: 15s
#       timeout: 5s
#       exec:
#         command: [./probes/contrib/rabbitmq.py, --url, "http://10.0.0.40:15672", --nodes, "3", --queue, orders]
#         env: { RABBITMQ_USER: vitald, RABBITMQ_PASSWORD: "${BROKER_PASSWORD}" }

import argparse
import base64
import http.client
import json
import os
import ssl
import sys
import urllib.error
import urllib.parse
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
    parser.add_argument("--url", default="http://127.0.0.1:15672")
    parser.add_argument("--nodes", type=int, default=1)
    parser.add_argument("--vhost", default="/")
    parser.add_argument("--queue", action="append", default=[])
    parser.add_argument("--depth-warn", type=int, default=1000)
    parser.add_argument("--depth-fail", type=int, default=10000)
    parser.add_argument("--consumers", type=int, default=1)
    parser.add_argument("--ca")
    parser.add_argument("--insecure", action="store_true")
    return parser.parse_args()


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
    pair = os.environ.get("RABBITMQ_USER", "guest") + ":" + os.environ.get("RABBITMQ_PASSWORD", "guest")
    headers = {"Authorization": "Basic " + base64.b64encode(pair.encode()).decode()}
    timeout = float(os.environ.get("VITALD_TIMEOUT_MS") or 10000) / 1000

    def get(path):
        """The status and the JSON of an answer."""
        try:
            request = urllib.request.Request(given.url.rstrip("/") + path, headers=headers)
            with sent(opener, request, timeout) as answer:
                status, text = answer.status, whole(answer)
        except ValueError as error:
            finish(3, error)
        except (OSError, http.client.HTTPException) as error:
            finish(2, "no answer: %s" % getattr(error, "reason", error))
        if status in (401, 403):
            finish(3, "the login was refused: status %d" % status)
        try:
            return status, json.loads(text)
        except (ValueError, RecursionError):
            finish(2 if status >= 500 else 3, "no JSON, but status %d: is this RabbitMQ's management plugin?" % status)

    return get


def look_at_nodes(nodes, wanted):
    running = [node for node in nodes if node.get("running")]
    fails = ["node %s does not run" % node["name"] for node in nodes if not node.get("running")]
    if len(running) < wanted:
        fails.append("%d of %d nodes run" % (len(running), wanted))
    for node in running:
        if node.get("mem_alarm"):
            fails.append("memory alarm on %s: publishers are blocked" % node["name"])
        if node.get("disk_free_alarm"):
            fails.append("disk alarm on %s: publishers are blocked" % node["name"])
        if node.get("partitions"):
            fails.append("%s is cut off from %s" % (node["name"], ", ".join(node["partitions"])))
    return running, fails


def look_at_queue(name, given, get):
    path = "/api/queues/%s/%s" % (urllib.parse.quote(given.vhost, safe=""), urllib.parse.quote(name, safe=""))
    status, queue = get(path)
    if status == 404:
        return ["there is no queue %s" % name], [], {}
    if status != 200:
        return ["status %d for queue %s" % (status, name)], [], {}
    # A queue that was declared a moment ago has no statistics yet.
    depth, consumers = queue.get("messages", 0), queue.get("consumers", 0)
    fails, warns = [], []
    if queue.get("state") in ("down", "crashed", "stopped", "minority"):
        fails.append("queue %s is %s" % (name, queue["state"]))
    if depth >= given.depth_fail:
        fails.append("%d messages in queue %s" % (depth, name))
    elif depth >= given.depth_warn:
        warns.append("%d messages in queue %s" % (depth, name))
    if consumers < given.consumers:
        fails.append("queue %s has %d of %d consumers" % (name, consumers, given.consumers))
    facts = {
        "%s depth" % name: "%d;%d;%d;0" % (depth, given.depth_warn, given.depth_fail),
        "%s consumers" % name: consumers,
    }
    return fails, warns, facts


def main():
    given = settings()
    get = client(given)
    status, nodes = get("/api/nodes")
    if status != 200 or not isinstance(nodes, list):
        finish(2 if status >= 500 else 3, "status %d from /api/nodes: is this RabbitMQ's management plugin?" % status)
    running, fails = look_at_nodes(nodes, given.nodes)
    # It also knows of alarms on nodes whose statistics have not arrived.
    status, alarms = get("/api/health/checks/alarms")
    if status == 503 and not any("alarm" in text for text in fails):
        fails.append("alarm: %s" % alarms.get("reason", "of an unknown kind"))
    warns, facts = [], {"nodes": len(running), "nodes_known": len(nodes)}
    for name in given.queue:
        queue_fails, queue_warns, queue_facts = look_at_queue(name, given, get)
        fails += queue_fails
        warns += queue_warns
        facts.update(queue_facts)
    if fails or warns:
        finish(2 if fails else 1, "; ".join(fails + warns), facts)
    said = ", ".join("%d messages in %s" % (int(facts["%s depth" % name].split(";")[0]), name) for name in given.queue)
    finish(0, "%d nodes run, no alarms%s" % (len(running), ", " + said if said else ""), facts)


if __name__ == "__main__":
    try:
        main()
    except Exception as error:
        # Python would end with 1, which means `warn`.
        finish(3, "an answer that this script does not understand: %r" % error)
