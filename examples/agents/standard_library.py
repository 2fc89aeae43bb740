"""An agent with Python's standard library alone: a token, a query, and a mutation that may be sent twice."""

import base64
import json
import os
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid

settings = ("SERVER", "AGENT", "SECRET", "DELEGATION", "TICKET")
server, agent, secret, delegation, number = (os.environ[name] for name in settings)


def post(path, body, headers):
    """Sends a request; waits once as long as the server says (429, 503)."""
    for may_wait in (True, False):
        request = urllib.request.Request(server + path, body, headers)
        try:
            with urllib.request.urlopen(request, timeout=60) as response:
                return json.load(response)
        except urllib.error.HTTPError as error:
            wait = error.headers.get("Retry-After", "")
            if not (may_wait and error.code in (429, 503) and wait.isdigit()):
                return json.load(error)
            time.sleep(min(int(wait), 30))


def token():
    details = [{"type": "behalf_delegation", "delegation": delegation}]
    form = {"grant_type": "client_credentials", "authorization_details": json.dumps(details)}
    name, password = (urllib.parse.quote(text, safe="") for text in (agent, secret))
    basic = base64.b64encode(f"{name}:{password}".encode()).decode()
    body = urllib.parse.urlencode(form).encode()
    return post("/oauth/token", body, {"Authorization": f"Basic {basic}"})["access_token"]


headers = {"Authorization": f"Bearer {token()}", "Content-Type": "application/json"}


def ask(query, **variables):
    body = json.dumps({"query": query, "variables": variables}).encode()
    return post("/graphql", body, headers)


ticket = ask("query($n: String!) { ticketByNumber(number: $n) { id subject } }", n=number)["data"]["ticketByNumber"]
reply = """mutation($id: ID!, $body: String!, $key: String!) {
  replyToTicket(ticketId: $id, body: $body, idempotencyKey: $key) { message { id } } }"""
once = {"id": ticket["id"], "body": "We look into it.", "key": str(uuid.uuid4())}
answers = [ask(reply, **once)["data"]["replyToTicket"]["message"]["id"] for _ in range(2)]
refused = ask("{ customers(first: 1) { nodes { email } } }")["errors"][0]["extensions"]
print(json.dumps({"subject": ticket["subject"], "answers": answers, "code": refused["code"]}))
