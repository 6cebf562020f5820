"""Mail to a server that takes it, refuses it, hangs up; with and without TLS; and what hostile text does to a header: nothing."""

import email
import ssl
from datetime import UTC, datetime, timedelta
from email.header import decode_header
from email.policy import default
from pathlib import Path
from typing import Any

import pytest

from folate.core.config import SmtpConfig
from folate.core.errors import ConfigError
from folate.delivery.mail import compose_mail, send_mail, smtp_password
from folate.delivery.outbox import DeliveryFailed, DeliveryUnknown

SMTP = SmtpConfig(
    host="127.0.0.1", security="none", sender="Folate 报告 <folate@example.org>", timeout=2.0
)


def at(box: Any, **more: Any) -> SmtpConfig:
    return SmtpConfig(**{**SMTP.__dict__, "port": box.port, **more})


def only(box: Any) -> Any:
    (raw,) = box.mails
    return email.message_from_bytes(raw, policy=default)


def test_a_mail_arrives(mailbox: Any) -> None:
    send_mail(
        at(mailbox), compose_mail(SMTP, "a@example.org", "e", "叶酸 rises", "话题\nline two\n")
    )
    mail = only(mailbox)
    assert mail["Subject"] == "叶酸 rises"
    assert mail["From"] == "Folate 报告 <folate@example.org>"
    assert mail["To"] == "a@example.org"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail.get_content().splitlines() == ["话题", "line two"]
    assert mailbox.commands[-1].upper() == "QUIT"


def test_the_same_event_to_the_same_person_has_the_same_message_id() -> None:
    ids = {
        compose_mail(SMTP, to, event, "s", "t")["Message-ID"]
        for to, event in (("a@b.c", "e"), ("a@b.c", "e"), ("d@b.c", "e"), ("a@b.c", "f"))
    }
    assert len(ids) == 3
    assert all(identifier.endswith("@example.org>") for identifier in ids)


def test_a_hostile_subject_stays_one_header(mailbox: Any) -> None:
    hostile = "rise\r\nBcc: everyone@example.org\r\n\r\n<script>\x00\x1b[31m\u202egnp.exe"
    send_mail(
        at(mailbox),
        compose_mail(SMTP, "a@example.org", "e", hostile, "text\r\n.\r\nMAIL FROM:<x>\r\n"),
    )
    mail = only(mailbox)
    assert mail["Bcc"] is None
    assert "\u202e" not in mail["Subject"]
    assert "\x1b" not in mail["Subject"]
    assert mail["Subject"].startswith("rise Bcc: everyone@example.org <script>")
    assert "MAIL FROM:<x>" in mail.get_content()
    assert [command for command in mailbox.commands if command.startswith("mail FROM")] == [
        "mail FROM:<folate@example.org>"
    ]


@pytest.mark.parametrize("address", ["", "nobody", "a@", "a b@c.d", "a@b\r\nBcc: x@y.z", "@b.c"])
def test_an_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(
        ConfigError, match=r"wanted an address such as folate@example\.org as the recipient"
    ):
        compose_mail(SMTP, address, "e", "s", "t")


@pytest.mark.parametrize(
    ("command", "reply"),
    [("RCPT", b"550 no such user\x1b[2J"), ("MAIL", b"451 later"), (".", b"554 spam")],
)
def test_a_refusal_is_certain_and_told_on_one_line(
    mailbox: Any, command: str, reply: bytes
) -> None:
    mailbox.replies[command] = reply
    with pytest.raises(
        DeliveryFailed, match=f"127.0.0.1 refused the mail: {reply[:3].decode()}"
    ) as told:
        send_mail(at(mailbox), compose_mail(SMTP, "a@example.org", "e", "s", "t"))
    assert str(told.value).isprintable()


@pytest.mark.parametrize(
    "subject",
    [
        "=?utf-8?q?=0D=0ABcc=3A_e=40x?=: what people said",
        "a =?utf-8?b?DQpCY2M6IGVAeA==?= b",
        "=?utf-8?q?=0D=0A=0D=0A<script>?=",
        "叶酸 =?",
    ],
)
def test_an_encoded_word_in_a_subject_stays_as_it_is_written(mailbox: Any, subject: str) -> None:
    send_mail(at(mailbox), compose_mail(SMTP, "a@example.org", "e", subject, "text"))
    (raw,) = mailbox.mails
    mail = email.message_from_bytes(raw)
    assert mail["Bcc"] is None
    assert mail.get_payload().strip() == "text"
    assert (
        "".join(
            str(part, charset or "ascii")
            for part, charset in decode_header(mail["Subject"])
            if isinstance(part, bytes)
        )
        == subject
    )


@pytest.mark.parametrize("command", ["EHLO", "MAIL", "RCPT", "DATA"])
@pytest.mark.parametrize("reply", [b"", b"garbage", b"250-endless", b"999 what", b"421 closing"])
def test_what_goes_wrong_before_the_text_is_a_certain_failure(
    mailbox: Any, command: str, reply: bytes
) -> None:
    if command == "EHLO" and reply not in (b"", b"250-endless"):
        pytest.skip("HELO follows, and is answered well")
    mailbox.replies[command] = reply
    with pytest.raises(DeliveryFailed) as told:
        send_mail(at(mailbox, timeout=0.2), compose_mail(SMTP, "a@example.org", "e", "s", "t"))
    assert str(told.value).isprintable()
    assert mailbox.mails == []


@pytest.mark.parametrize("reply", [b"354 go on", b"garbage", b"999 what"])
def test_an_answer_to_the_text_that_says_neither_yes_nor_no_is_uncertain(
    mailbox: Any, reply: bytes
) -> None:
    mailbox.replies["."] = reply
    with pytest.raises(DeliveryUnknown, match="did not say whether"):
        send_mail(at(mailbox), compose_mail(SMTP, "a@example.org", "e", "s", "t"))


@pytest.mark.parametrize("secret", ["密码", "a\nb", "p\x00"])
def test_a_password_that_smtp_can_not_send_is_refused_and_not_repeated(
    secret: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.environ", {"FOLATE_SMTP_PASSWORD": secret})
    with pytest.raises(
        ConfigError, match="wanted the password of u in FOLATE_SMTP_PASSWORD in printable ASCII"
    ) as told:
        smtp_password(SmtpConfig(host="127.0.0.1", user="u", security="none"))
    assert secret not in str(told.value)


def test_a_server_that_repeats_the_password_is_not_quoted(
    mailbox: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FOLATE_SMTP_PASSWORD", "s3cret-word")
    mailbox.replies["AUTH"] = b"535 no: AHUAczNjcmV0LXdvcmQ= is u and s3cret-word"
    with pytest.raises(DeliveryFailed, match=r"535 no: \*\*\* is u and \*\*\*"):
        send_mail(at(mailbox, user="u"), compose_mail(SMTP, "a@example.org", "e", "s", "t"))


def test_hanging_up_after_the_text_is_uncertain(mailbox: Any) -> None:
    mailbox.replies["."] = b""
    with pytest.raises(DeliveryUnknown, match="stopped answering"):
        send_mail(at(mailbox), compose_mail(SMTP, "a@example.org", "e", "s", "t"))


def test_a_rude_goodbye_changes_nothing(mailbox: Any) -> None:
    mailbox.replies["QUIT"] = b""
    send_mail(at(mailbox), compose_mail(SMTP, "a@example.org", "e", "s", "t"))
    assert len(mailbox.mails) == 1


def test_the_password_comes_from_the_environment(
    mailbox: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    smtp = at(mailbox, user="u", password_variable="OUR_SECRET")
    mail = compose_mail(smtp, "a@example.org", "e", "s", "t")
    monkeypatch.delenv("OUR_SECRET", raising=False)
    with pytest.raises(
        ConfigError,
        match=r"wanted the password of u at .+ in the environment variable OUR_SECRET, got nothing",
    ):
        send_mail(smtp, mail)
    monkeypatch.setenv("OUR_SECRET", "p")
    send_mail(smtp, mail)
    assert "AUTH PLAIN AHUAcA==" in mailbox.commands
    mailbox.replies["AUTH"] = b"535 wrong"
    with pytest.raises(DeliveryFailed, match="did not let u in: 535 wrong"):
        send_mail(smtp, mail)


def test_a_password_never_crosses_a_network_in_the_clear(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOLATE_SMTP_PASSWORD", "p")
    with pytest.raises(ConfigError, match="wanted security starttls or ssl"):
        smtp_password(SmtpConfig(host="mail.example.org", user="u", security="none"))
    with pytest.raises(ConfigError, match="wanted a host"):
        smtp_password(SmtpConfig())


def test_a_server_without_tls_or_without_anyone_is_a_failure(mailbox: Any) -> None:
    mail = compose_mail(SMTP, "a@example.org", "e", "s", "t")
    with pytest.raises(DeliveryFailed, match="STARTTLS"):
        send_mail(at(mailbox, security="starttls"), mail)
    with pytest.raises(DeliveryFailed, match="can't be reached"):
        send_mail(at(mailbox, port=1), mail)
    assert mailbox.mails == []


def test_over_tls_the_certificate_is_checked(
    tmp_path: Path, mailbox: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The loopback server behind TLS: refused while its certificate is nobody's, taken when the system trusts it."""
    import socketserver

    certificate, key = _certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            try:
                secure = context.wrap_socket(self.request, server_side=True)
            except (ssl.SSLError, OSError):
                return
            with secure, secure.makefile("rwb") as file:
                file.write(b"220 hello\r\n")
                file.flush()
                for line in iter(file.readline, b""):
                    if line.upper().startswith(b"DATA"):
                        file.write(b"354 go on\r\n")
                        file.flush()
                        mailbox.mails.append(b"".join(iter(file.readline, b".\r\n")))
                    file.write(b"250 fine\r\n")
                    file.flush()

    from threading import Thread

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        smtp = SmtpConfig(**{**SMTP.__dict__, "port": server.server_address[1], "security": "ssl"})
        mail = compose_mail(smtp, "a@example.org", "e", "s", "t")
        with pytest.raises(DeliveryFailed, match=r"(?i)certificate"):
            send_mail(smtp, mail)
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        send_mail(smtp, mail)
        server.shutdown()
        thread.join()
    assert len(mailbox.mails) == 1


def _certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate of 127.0.0.1 by itself, and its key."""
    from ipaddress import ip_address

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name, now = (
        x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "loopback")]),
        datetime.now(UTC),
    )
    certificate = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
        .not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    paths = folder / "certificate.pem", folder / "key.pem"
    paths[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return paths
