"""Certificates and settings of a development server with TLS and users.

For trying clients only: the users are the security plugin's demonstration users, and the server listens on loopback.
"""

import json
import os
import subprocess
from pathlib import Path

from os_deploy._files import InputError

USER, PASSWORD = "admin", "admin"
"""The plugin's demonstration administrator."""

SETTINGS = """plugins.security.ssl.transport.pemcert_filepath: node.pem
plugins.security.ssl.transport.pemkey_filepath: node-key.pem
plugins.security.ssl.transport.pemtrustedcas_filepath: ca.pem
plugins.security.ssl.transport.enforce_hostname_verification: false
plugins.security.ssl.http.enabled: true
plugins.security.ssl.http.pemcert_filepath: node.pem
plugins.security.ssl.http.pemkey_filepath: node-key.pem
plugins.security.ssl.http.pemtrustedcas_filepath: ca.pem
plugins.security.allow_default_init_securityindex: true
plugins.security.authcz.admin_dn: ["CN=admin"]
plugins.security.nodes_dn: ["CN=node"]
plugins.security.restapi.roles_enabled: ["all_access", "security_rest_api_access"]
"""

EXTENSIONS = "subjectAltName=DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth,clientAuth\n"


def make_certificates(folder: Path) -> None:
    """An authority and a node's certificate signed by it, where they are not there yet."""
    if (folder / "node.pem").is_file():
        return
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "extensions.cnf").write_text(EXTENSIONS, encoding="utf-8")
    new_key = ["-newkey", "rsa:2048", "-nodes", "-keyout"]
    authority = ["-CA", "ca.pem", "-CAkey", "ca-key.pem", "-CAcreateserial"]
    commands = [
        ["req", "-x509", *new_key, "ca-key.pem", "-days", "3650", "-subj", "/CN=os-deploy", "-out", "ca.pem"],
        ["req", *new_key, "node-key.pem", "-subj", "/CN=node", "-out", "node.csr"],
        [
            "x509",
            "-req",
            "-in",
            "node.csr",
            *authority,
            "-days",
            "3650",
            "-extfile",
            "extensions.cnf",
            "-out",
            "node.pem",
        ],
    ]
    for command in commands:
        try:
            subprocess.run(["openssl", *command], cwd=folder, check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError) as error:
            raise InputError(f"{folder}: no certificate could be made with openssl ({error}): install it") from error


def write_credentials(path: Path) -> None:
    """A credentials file that only its owner can read."""
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="utf-8") as file:
        json.dump({"user": USER, "password": PASSWORD}, file)
