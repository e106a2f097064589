"""Reads what Trivy says of itself and its databases (`trivy --version -f json`, and `/version` of its server). Pure."""

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from patchgate.errors import SetupError
from patchgate.policy.record import Scanner


class _Schema(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class _DatabaseSchema(_Schema):
    updated: AwareDatetime = Field(alias="UpdatedAt")


class _VersionSchema(_Schema):
    version: str = Field(alias="Version")
    database: _DatabaseSchema | None = Field(default=None, alias="VulnerabilityDB")


def read_version(text: str | bytes, whose: str) -> Scanner:
    """Read version and database age; no database is None.

    Raises:
        SetupError: it is nothing of Trivy's. whose: the program or server that said it.
    """
    try:
        said = _VersionSchema.model_validate_json(text)
    except ValidationError:
        raise SetupError(f"{whose} does not say its version as Trivy does; is it one?") from None
    return Scanner("trivy", said.version.removeprefix("v"), said.database.updated if said.database else None)
