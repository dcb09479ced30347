"""What hashicorp/go-plugin wants of a program: a first line, mutual TLS, and two services beside the plugin's own."""

import base64
import datetime
import os

import grpc
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

COOKIE = ("ENDPOINT_PLUGIN", "started by an application that uses endpoints")
VERSION = 1  # of the contract


def started():
    """Report whether an application has started this program."""
    return os.environ.get(COOKIE[0]) == COOKIE[1]


def speaks():
    """Report whether the application speaks this program's version of the contract."""
    return str(VERSION) in os.environ.get("PLUGIN_PROTOCOL_VERSIONS", "").split(",")


def socket_path():
    """Where this program is called; the directory is the application's, and nobody else may look into it."""
    return os.path.join(os.environ["PLUGIN_UNIX_SOCKET_DIR"], "plugin")


def credentials():
    """Return credentials for the server, and the certificate for the first line.

    Both sides know each other by certificates that they have made for this one run: the application's comes in the
    environment.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.utcnow()
    cert = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=1))
        .not_valid_after(now + datetime.timedelta(days=36500))
        # The name that the application asks for.
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    server = grpc.ssl_server_credentials(
        [(pem, cert.public_bytes(serialization.Encoding.PEM))],
        root_certificates=os.environ["PLUGIN_CLIENT_CERT"].encode(),
        require_client_auth=True,
    )
    return server, cert.public_bytes(serialization.Encoding.DER)


def first_line(path, certificate):
    """Return what the application reads first, and the only thing that it reads of standard output."""
    # Without the padding: go-plugin takes none.
    encoded = base64.b64encode(certificate).decode().rstrip("=")
    return f"1|{VERSION}|unix|{path}|grpc|{encoded}"


def handlers(stop):
    """Return go-plugin's own services. Those for brokers and for standard output are not needed."""

    async def shutdown(_request, _context):
        stop.set()
        return b""

    async def check(_request, _context):
        return b"\x08\x01"  # a HealthCheckResponse with the status SERVING

    # Without serializers requests and responses are bytes; the messages are too small to be generated.
    return (
        grpc.method_handlers_generic_handler(
            "plugin.GRPCController", {"Shutdown": grpc.unary_unary_rpc_method_handler(shutdown)}
        ),
        grpc.method_handlers_generic_handler(
            "grpc.health.v1.Health", {"Check": grpc.unary_unary_rpc_method_handler(check)}
        ),
    )
