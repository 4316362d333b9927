"""The AWS CLI's way of calling an API: options by the same description of each service that the CLI itself is made from
(botocore's), checked as it checks them, and by the API's own limits. It knows what `iam-policy --commands` uses.

`aws_cli.py SOCKET` serves calls, because loading botocore takes long: each is a line of JSON with the directory and the
words, and its answer one with status, stdout and stderr."""

import json
import os
import re
import socketserver
import sys

import boto3
import jmespath
from botocore import xform_name
from botocore.exceptions import BotoCoreError, ClientError

GLOBAL = {"region", "query", "output"}
CLIENTS = {}


class Refused(Exception):
    pass


def fail(message):
    raise Refused(f"aws: {message}\n")


def client_of(service, region):
    if (service, region) not in CLIENTS:
        CLIENTS[service, region] = boto3.client(service, region_name=region)
    return CLIENTS[service, region]


def options_of(words):
    options = {}
    name = None
    for word in words:
        if word.startswith("--"):
            name = word[2:]
            if name in options:
                fail(f"--{name} is given twice")
            options[name] = []
        elif name is None:
            fail(f"unknown word: {word}")
        else:
            options[name].append(word)
    return options


def value_of(name, shape, words):
    if shape.type_name == "list":
        return [value_of(name, shape.member, [word]) for word in words]
    if len(words) != 1:
        fail(f"--{name} takes one value, not {words}")
    word = words[0]
    if word.startswith("file://"):
        with open(word[len("file://"):], encoding="ascii") as file:
            word = file.read()
    if shape.type_name == "structure":
        pairs = dict(pair.split("=", 1) for pair in word.split(","))
        for key in pairs:
            if key not in shape.members:
                fail(f"--{name} has no {key}")
        return pairs
    if shape.type_name == "integer":
        return int(word)
    if shape.type_name != "string":
        fail(f"--{name} is a {shape.type_name}, which this does not know")
    limits = shape.metadata
    pattern = limits.get("pattern")
    # Patterns of whole documents are in the syntax of Java.
    if pattern and "\\u" not in pattern and not re.fullmatch(pattern, word):
        fail(f"--{name} {word!r} does not match {pattern}")
    if not limits.get("min", 0) <= len(word) <= limits.get("max", sys.maxsize):
        fail(f"--{name} has {len(word)} characters: {limits}")
    if getattr(shape, "enum", None) and word not in shape.enum:
        fail(f"--{name}: {word} is none of {shape.enum}")
    return word


def main(service, command, *words):
    waiter = None
    if command == "wait":
        command, *words = words
        waiter = command
    options = options_of(words)
    plain = {name: options.pop(name)[0] for name in list(options) if name in GLOBAL}
    client = client_of(service, plain.get("region", "us-west-2"))
    if waiter:
        if waiter.replace("-", "_") not in client.waiter_names:
            fail(f"no waiter {waiter}")
        command = {"instance-profile-exists": "get-instance-profile"}[waiter]
    operations = {xform_name(name, "-"): name for name in client.meta.service_model.operation_names}
    if command not in operations:
        fail(f"{service} has no command {command}")
    shape = client.meta.service_model.operation_model(operations[command]).input_shape
    members = {xform_name(name, "-"): name for name in shape.members}
    parameters = {}
    for name, values in options.items():
        if name not in members:
            fail(f"{service} {command} has no option --{name}")
        parameters[members[name]] = value_of(name, shape.members[members[name]], values)
    try:
        if waiter:
            client.get_waiter(waiter.replace("-", "_")).wait(**parameters)
            return ""
        answer = getattr(client, xform_name(operations[command]))(**parameters)
    except (BotoCoreError, ClientError) as error:
        fail(str(error))
    answer.pop("ResponseMetadata", None)
    found = jmespath.search(plain["query"], answer) if "query" in plain else answer
    return f"{found if plain.get('output') == 'text' else json.dumps(found, default=str)}\n"


class Call(socketserver.StreamRequestHandler):
    def handle(self):
        call = json.loads(self.rfile.readline())
        os.chdir(call["directory"])
        try:
            answer = {"status": 0, "stdout": main(*call["words"]), "stderr": ""}
        except Refused as refused:
            answer = {"status": 252, "stdout": "", "stderr": str(refused)}
        self.wfile.write(json.dumps(answer).encode() + b"\n")


if __name__ == "__main__":
    with socketserver.UnixStreamServer(sys.argv[1], Call) as server:
        server.serve_forever()
