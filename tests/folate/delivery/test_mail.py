"""Mail: accepting, refusing and silent servers, TLS, and hostile text in headers."""

import email
import socketserver
import ssl
from dataclasses import replace
from email.header import decode_header
from email.policy import default
from typing import Any

import pytest

from folate.core.config import SmtpConfig
from folate.core.errors import ConfigError
from folate.delivery.mail import compose_mail, send_mail, smtp_password
from folate.delivery.outbox import DeliveryFailed, DeliveryUnknown
from tests.folate.conftest import run_server

SMTP = SmtpConfig(
    host="127.0.0.1", security="none", sender="Folate 报告 <folate@example.org>", timeout=2.0
)


def smtp_config(server: Any, **settings: Any) -> SmtpConfig:
    return replace(SMTP, **({"port": server.port} | settings))


def received_mail(server: Any) -> Any:
    (raw,) = server.mails
    return email.message_from_bytes(raw, policy=default)


def test_a_mail_arrives(mail_server: Any) -> None:
    send_mail(
        smtp_config(mail_server),
        compose_mail(SMTP, "a@example.org", "e", "叶酸 rises", "话题\nline two\n"),
    )
    mail = received_mail(mail_server)
    assert mail["Subject"] == "叶酸 rises"
    assert mail["From"] == "Folate 报告 <folate@example.org>"
    assert mail["To"] == "a@example.org"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail.get_content().splitlines() == ["话题", "line two"]
    assert mail_server.commands[-1].upper() == "QUIT"


def test_the_same_event_to_the_same_person_has_the_same_message_id() -> None:
    ids = {
        compose_mail(SMTP, to, event, "s", "t")["Message-ID"]
        for to, event in (("a@b.c", "e"), ("a@b.c", "e"), ("d@b.c", "e"), ("a@b.c", "f"))
    }
    assert len(ids) == 3
    assert all(identifier.endswith("@example.org>") for identifier in ids)


def test_a_hostile_subject_stays_one_header(mail_server: Any) -> None:
    hostile = "rise\r\nBcc: everyone@example.org\r\n\r\n<script>\x00\x1b[31m\u202egnp.exe"
    send_mail(
        smtp_config(mail_server),
        compose_mail(SMTP, "a@example.org", "e", hostile, "text\r\n.\r\nMAIL FROM:<x>\r\n"),
    )
    mail = received_mail(mail_server)
    assert mail["Bcc"] is None
    assert "\u202e" not in mail["Subject"]
    assert "\x1b" not in mail["Subject"]
    assert mail["Subject"].startswith("rise Bcc: everyone@example.org <script>")
    assert "MAIL FROM:<x>" in mail.get_content()
    assert [command for command in mail_server.commands if command.startswith("mail FROM")] == [
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
    mail_server: Any, command: str, reply: bytes
) -> None:
    mail_server.replies[command] = reply
    with pytest.raises(
        DeliveryFailed, match=f"127.0.0.1 refused the mail: {reply[:3].decode()}"
    ) as raised:
        send_mail(smtp_config(mail_server), compose_mail(SMTP, "a@example.org", "e", "s", "t"))
    assert str(raised.value).isprintable()


@pytest.mark.parametrize(
    "subject",
    [
        "=?utf-8?q?=0D=0ABcc=3A_e=40x?=: what people said",
        "a =?utf-8?b?DQpCY2M6IGVAeA==?= b",
        "=?utf-8?q?=0D=0A=0D=0A<script>?=",
        "叶酸 =?",
    ],
)
def test_an_encoded_word_in_a_subject_stays_as_it_is_written(
    mail_server: Any, subject: str
) -> None:
    send_mail(smtp_config(mail_server), compose_mail(SMTP, "a@example.org", "e", subject, "text"))
    (raw,) = mail_server.mails
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
    mail_server: Any, command: str, reply: bytes
) -> None:
    if command == "EHLO" and reply not in (b"", b"250-endless"):
        pytest.skip("HELO follows, and is answered well")
    mail_server.replies[command] = reply
    with pytest.raises(DeliveryFailed) as raised:
        send_mail(
            smtp_config(mail_server, timeout=0.2),
            compose_mail(SMTP, "a@example.org", "e", "s", "t"),
        )
    assert str(raised.value).isprintable()
    assert mail_server.mails == []


@pytest.mark.parametrize("reply", [b"354 go on", b"garbage", b"999 what"])
def test_an_answer_to_the_text_that_says_neither_yes_nor_no_is_uncertain(
    mail_server: Any, reply: bytes
) -> None:
    mail_server.replies["."] = reply
    with pytest.raises(DeliveryUnknown, match="did not say whether"):
        send_mail(smtp_config(mail_server), compose_mail(SMTP, "a@example.org", "e", "s", "t"))


@pytest.mark.parametrize("password", ["密码", "a\nb", "p\x00"])
def test_a_password_that_smtp_can_not_send_is_refused_and_not_repeated(
    password: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.environ", {"FOLATE_SMTP_PASSWORD": password})
    with pytest.raises(
        ConfigError, match="wanted the password of u in FOLATE_SMTP_PASSWORD in printable ASCII"
    ) as raised:
        smtp_password(SmtpConfig(host="127.0.0.1", user="u", security="none"))
    assert password not in str(raised.value)


def test_a_server_that_repeats_the_password_is_not_quoted(
    mail_server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FOLATE_SMTP_PASSWORD", "s3cret-word")
    mail_server.replies["AUTH"] = b"535 no: AHUAczNjcmV0LXdvcmQ= is u and s3cret-word"
    with pytest.raises(DeliveryFailed, match=r"535 no: \*\*\* is u and \*\*\*"):
        send_mail(
            smtp_config(mail_server, user="u"), compose_mail(SMTP, "a@example.org", "e", "s", "t")
        )


def test_hanging_up_after_the_text_is_uncertain(mail_server: Any) -> None:
    mail_server.replies["."] = b""
    with pytest.raises(DeliveryUnknown, match="stopped answering"):
        send_mail(smtp_config(mail_server), compose_mail(SMTP, "a@example.org", "e", "s", "t"))


def test_a_rude_goodbye_changes_nothing(mail_server: Any) -> None:
    mail_server.replies["QUIT"] = b""
    send_mail(smtp_config(mail_server), compose_mail(SMTP, "a@example.org", "e", "s", "t"))
    assert len(mail_server.mails) == 1


def test_the_password_comes_from_the_environment(
    mail_server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    smtp = smtp_config(mail_server, user="u", password_variable="OUR_SECRET")
    mail = compose_mail(smtp, "a@example.org", "e", "s", "t")
    monkeypatch.delenv("OUR_SECRET", raising=False)
    with pytest.raises(
        ConfigError,
        match=r"wanted the password of u at .+ in the environment variable OUR_SECRET, got nothing",
    ):
        send_mail(smtp, mail)
    monkeypatch.setenv("OUR_SECRET", "p")
    send_mail(smtp, mail)
    assert "AUTH PLAIN AHUAcA==" in mail_server.commands
    mail_server.replies["AUTH"] = b"535 wrong"
    with pytest.raises(DeliveryFailed, match="did not let u in: 535 wrong"):
        send_mail(smtp, mail)


def test_a_password_never_crosses_a_network_in_the_clear(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOLATE_SMTP_PASSWORD", "p")
    with pytest.raises(ConfigError, match="wanted security starttls or ssl"):
        smtp_password(SmtpConfig(host="mail.example.org", user="u", security="none"))
    with pytest.raises(ConfigError, match="wanted a host"):
        smtp_password(SmtpConfig())


def test_a_server_without_tls_or_without_anyone_is_a_failure(mail_server: Any) -> None:
    mail = compose_mail(SMTP, "a@example.org", "e", "s", "t")
    with pytest.raises(DeliveryFailed, match="STARTTLS"):
        send_mail(smtp_config(mail_server, security="starttls"), mail)
    with pytest.raises(DeliveryFailed, match="can't be reached"):
        send_mail(smtp_config(mail_server, port=1), mail)
    assert mail_server.mails == []


def test_over_tls_the_certificate_is_checked(
    mail_server: Any, certificate_files: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Use a server with a self-signed certificate, before and after it is trusted."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate_files.certificate, certificate_files.key)

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            try:
                connection = context.wrap_socket(self.request, server_side=True)
            except (ssl.SSLError, OSError):
                return
            with connection, connection.makefile("rwb") as stream:
                stream.write(b"220 hello\r\n")
                stream.flush()
                for line in iter(stream.readline, b""):
                    if line.upper().startswith(b"DATA"):
                        stream.write(b"354 go on\r\n")
                        stream.flush()
                        mail_server.mails.append(b"".join(iter(stream.readline, b".\r\n")))
                    stream.write(b"250 fine\r\n")
                    stream.flush()

    with run_server(socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)) as port:
        smtp = replace(SMTP, port=port, security="ssl")
        mail = compose_mail(smtp, "a@example.org", "e", "s", "t")
        with pytest.raises(DeliveryFailed, match=r"(?i)certificate"):
            send_mail(smtp, mail)
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate_files.certificate))
        send_mail(smtp, mail)
    assert len(mail_server.mails) == 1
