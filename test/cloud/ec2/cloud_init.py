"""What cloud-init makes of user-data, as far as it is used here: scripts, boothooks, #cloud-config (ssh_keys, ssh_authorized_keys,
write_files, bootcmd, runcmd), and MIME archives of these. (cloud-init's documentation, "User-data formats")

The result is a set of small files that init.sh puts into place.
"""
import base64
import email
import shlex

import yaml

KEY_KINDS = ('rsa', 'ecdsa', 'ed25519')


def parts_of(user_data):
    if user_data.lower().startswith(('content-type:', 'mime-version:')):
        message = email.message_from_string(user_data)
        return [
            part.get_payload(decode=True).decode() for part in message.walk() if not part.is_multipart()
        ]
    return [user_data]


def command_line(command):
    return command if isinstance(command, str) else shlex.join(str(word) for word in command)


def content_of(file):
    content = file.get('content', '')
    encoded = file.get('encoding') in ('b64', 'base64')
    return content if encoded else base64.b64encode(content.encode()).decode()


def write_files(files):
    for file in files:
        path = shlex.quote(file['path'])
        yield f'mkdir -p "$(dirname {path})"'
        yield f'echo {content_of(file)} | base64 -d {">>" if file.get("append") else ">"} {path}'
        yield f'chmod {file.get("permissions", "0644")} {path}'
        yield f'chown {file.get("owner", "root:root")} {path}'


def host_keys(config):
    """Files of /etc/ssh by name."""
    keys = config.get('ssh_keys') or {}
    for kind in KEY_KINDS:
        for half, suffix in (('private', ''), ('public', '.pub')):
            if f'{kind}_{half}' in keys:
                yield f'ssh_host_{kind}_key{suffix}', keys[f'{kind}_{half}'].strip() + '\n'


def seed(user_data, public_key):
    """Files by name: host keys, `authorized_keys`, `before-sshd` (a script), `user-data-N` (scripts to be run last)."""
    authorized, early, scripts, files = [public_key], [], [], {}
    for part in parts_of(user_data):
        if part.startswith('#cloud-config'):
            config = yaml.safe_load(part) or {}
            files.update(host_keys(config))
            authorized += config.get('ssh_authorized_keys') or []
            early += [command_line(it) for it in config.get('bootcmd') or []]
            early += write_files(config.get('write_files') or [])
            if config.get('runcmd'):
                scripts.append('\n'.join(['#!/bin/sh', *map(command_line, config['runcmd']), '']))
        elif part.startswith('#cloud-boothook'):
            scripts.insert(0, part.partition('\n')[2].lstrip())
        elif part.startswith('#!'):
            scripts.append(part)
    files['authorized_keys'] = ''.join(f'{key}\n' for key in authorized if key)
    files['before-sshd'] = ''.join(f'{line}\n' for line in early)
    files.update({f'user-data-{number}': script for number, script in enumerate(scripts, 1)})
    return files
