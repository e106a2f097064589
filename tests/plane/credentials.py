"""Certificates and kubeconfigs of a control plane; the user is the common name, the group the organization."""

import base64
import json
import ssl
from dataclasses import dataclass
from pathlib import Path

import trustme


@dataclass(frozen=True)
class Credentials:
    """A certificate authority that servers and clients of one control plane share, in a folder."""

    folder: Path
    authority: trustme.CA

    @classmethod
    def make(cls, folder: Path) -> "Credentials":
        authority = trustme.CA()
        authority.cert_pem.write_to_path(str(folder / "ca.crt"))
        return cls(folder, authority)

    @property
    def ca(self) -> Path:
        return self.folder / "ca.crt"

    def issue_server(self, name: str, *hosts: str) -> tuple[Path, Path]:
        """Issue a server's pair for these names and addresses; gives certificate and key."""
        return self._write(name, self.authority.issue_cert(*hosts))

    def issue_client(self, user: str, group: str | None = None) -> tuple[Path, Path]:
        """Issue a client's pair."""
        name = user.replace(":", "-")
        return self._write(name, self.authority.issue_cert(name, common_name=user, organization_name=group))

    def write_kubeconfig(self, server: str, user: str, group: str | None = None) -> Path:
        """Write a kubeconfig, which JSON suffices for."""
        certificate, key = (_encode(file) for file in self.issue_client(user, group))
        content = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [
                {"name": "plane", "cluster": {"server": server, "certificate-authority-data": _encode(self.ca)}}
            ],
            "users": [{"name": user, "user": {"client-certificate-data": certificate, "client-key-data": key}}],
            "contexts": [{"name": "plane", "context": {"cluster": "plane", "user": user}}],
            "current-context": "plane",
        }
        file = self.folder / f"{user.replace(':', '-')}.kubeconfig"
        file.write_text(json.dumps(content), encoding="utf-8")
        return file

    def trust_as(self, user: str) -> ssl.SSLContext:
        """Make the TLS context of a client that was issued a pair."""
        context = ssl.create_default_context(cafile=self.ca)
        context.load_cert_chain(self.folder / f"{user}.crt", self.folder / f"{user}.key")
        return context

    def _write(self, name: str, pair: trustme.LeafCert) -> tuple[Path, Path]:
        certificate, key = self.folder / f"{name}.crt", self.folder / f"{name}.key"
        pair.cert_chain_pems[0].write_to_path(str(certificate))
        pair.private_key_pem.write_to_path(str(key))
        return certificate, key


def _encode(file: Path) -> str:
    return base64.b64encode(file.read_bytes()).decode()
