# Begins TLS with Python's own client of argv[1] at localhost, port argv[2], under the authority in argv[3]; then says
# something in the protocol, and prints the version of TLS.
import ftplib
import imaplib
import poplib
import smtplib
import ssl
import sys
import warnings

warnings.simplefilter("ignore")  # nntplib goes away in Python 3.13
import nntplib

proto, port, ca = sys.argv[1], int(sys.argv[2]), sys.argv[3]
context = ssl.create_default_context(cafile=ca)


def smtp():
    c = smtplib.SMTP("localhost", port, "client.test", timeout=20)
    c.starttls(context=context)
    version = c.sock.version()
    c.sendmail("a@x", ["b@x"], "Subject: hello\r\n\r\nhello\r\n")
    c.quit()
    return version


def pop3():
    c = poplib.POP3("localhost", port, timeout=20)
    c.stls(context)
    version = c.sock.version()
    c.user("u")
    c.pass_("p")
    assert c.stat() == (1, 7)
    c.quit()
    return version


def imap():
    c = imaplib.IMAP4("localhost", port, timeout=20)
    c.starttls(context)
    version = c.sock.version()
    c.login("u", "p")
    c.noop()
    c.logout()
    return version


def ftp():
    c = ftplib.FTP_TLS(context=context, timeout=20)
    c.connect("localhost", port)
    c.login("u", "p")
    version = c.sock.version()
    c.prot_p()
    assert c.pwd() == "/"
    c.quit()
    return version


def nntp():
    c = nntplib.NNTP("localhost", port, timeout=20)
    c.starttls(context)
    version = c.sock.version()
    assert "READER" in c.getcapabilities()
    c.date()
    c.quit()
    return version


print({"smtp": smtp, "pop3": pop3, "imap": imap, "ftp": ftp, "nntp": nntp}[proto]())
