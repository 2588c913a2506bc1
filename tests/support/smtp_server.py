#!/usr/bin/env python3
"""A real SMTP server on a free loopback port, for tests (python3-aiosmtpd). Prints the port, then serves until it is ended.

smtp_server.py FOLDER [--starttls | --smtps] [--sign-in USER PASSWORD] [--silent]

Each message becomes FOLDER/NNN.eml, as it came, and FOLDER/NNN.txt: what Python's own parser makes of it, one "name<TAB>value" a
line with "\\n" for line ends. FOLDER/certificate.pem is made anew for --starttls and --smtps. The addressee decides the answer:
unknown… 550, busy… 451, hang… none; badtext… and fulltext… are taken and their text is answered 554 and 452. FOLDER/answer,
while it is there, is the answer to every MAIL.
"""

import argparse
import asyncio
import email
import email.header
import email.policy
import email.utils
import os
import ssl
import subprocess
from pathlib import Path

from aiosmtpd.smtp import SMTP, AuthResult

TO_ADDRESSEE = {"unknown": "550 5.1.1 nobody of this name", "busy": "451 4.2.0 come back later"}
TO_TEXT = {"badtext": "554 5.6.0 not such a text", "fulltext": "452 4.3.1 no room"}


def answer(table, address):
    return next((text for start, text in table.items() if address.startswith(start)), None)


def decoded(value):
    return str(email.header.make_header(email.header.decode_header(value)))


class Keeper:
    def __init__(self, folder):
        self.folder = folder
        self.count = 0

    async def handle_MAIL(self, server, session, envelope, address, options):  # noqa: N802, the name is aiosmtpd's
        said = self.folder / "answer"
        if said.exists():
            return said.read_text(encoding="ascii").strip()
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802
        if address.startswith("hang"):
            await asyncio.sleep(3600)
        refusal = answer(TO_ADDRESSEE, address)
        if refusal:
            return refusal
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        refusal = answer(TO_TEXT, envelope.rcpt_tos[0])
        if refusal:
            return refusal
        self.count += 1
        number = f"{self.count:03}"
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        plain = email.message_from_bytes(envelope.content)
        name_of, address_of = email.utils.parseaddr("".join(plain["To"].splitlines()))
        facts = {
            "mail_from": envelope.mail_from, "rcpt_to": ",".join(envelope.rcpt_tos), "helo": session.host_name,
            "tls": "yes" if server.transport.get_extra_info("ssl_object") else "no", "user": session.auth_data or "", "connection": str(session.peer[1]),
            "headers": ",".join(message.keys()), "defects": str(len(message.defects)), "text": message.get_content(),
            "to_name": decoded(name_of), "to_address": address_of, **{f"header {key}": decoded(value) for key, value in plain.items()},
        }
        lines = [f"{key}\t{value}".replace("\r", "").replace("\n", "\\n") for key, value in facts.items()]
        (self.folder / f"{number}.eml").write_bytes(envelope.content)
        unfinished = self.folder / f"{number}.part"
        unfinished.write_text("\n".join(lines) + "\n", encoding="utf-8")
        unfinished.rename(self.folder / f"{number}.txt")
        return "250 OK"


def certificate(folder):
    key, chain = folder / "key.pem", folder / "certificate.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-keyout", str(key),
         "-out", str(chain), "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"],
        check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain, key)
    return context


def protocol(given, keeper, context):
    def sign_in(server, session, envelope, mechanism, data):
        user, password = given.sign_in
        if (data.login, data.password) != (user.encode(), password.encode()):
            return AuthResult(success=False, handled=False)
        return AuthResult(success=True, auth_data=user)

    return SMTP(keeper, hostname="localhost", enable_SMTPUTF8=False, tls_context=context if given.starttls else None,
                require_starttls=given.starttls, auth_required=bool(given.sign_in), auth_require_tls=given.starttls,
                authenticator=sign_in if given.sign_in else None)


async def serve(given):
    context = certificate(given.folder) if given.starttls or given.smtps else None
    keeper = Keeper(given.folder)
    make = asyncio.Protocol if given.silent else lambda: protocol(given, keeper, context)
    server = await asyncio.get_running_loop().create_server(make, "127.0.0.1", 0, ssl=context if given.smtps else None)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--starttls", action="store_true")
    parser.add_argument("--smtps", action="store_true")
    parser.add_argument("--silent", action="store_true")
    parser.add_argument("--sign-in", nargs=2)
    given = parser.parse_args()
    os.umask(0o077)
    asyncio.run(serve(given))


if __name__ == "__main__":
    main()
