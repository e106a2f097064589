"""A ConfigMap as read from anywhere, and the names under which ConfigMaps count."""

from collections.abc import Mapping
from dataclasses import dataclass

from patchgate.limits import RECORD_CONFIGMAPS


@dataclass(frozen=True, slots=True)
class ConfigMap:
    """The part of a ConfigMap that counts.

    Attributes:
        name: its name.
        labels: its labels.
        data: key → text.
        unread: keys that hold no text: binary, or in a file a number or a list.
    """

    name: str
    labels: Mapping[str, str]
    data: Mapping[str, str]
    unread: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Names:
    """The names under which ConfigMaps count, and the label that adds image lists.

    Attributes:
        image_list: the main image list.
        records: the first ConfigMap of records; `-1` … `-N` follow it.
        record_configmaps: N.
        exceptions: the exceptions.
        label: on a ConfigMap of any other name, with the value `true`: an image list.
    """

    image_list: str = "copa-image-list"
    records: str = "copa-patched-digests"
    record_configmaps: int = RECORD_CONFIGMAPS
    exceptions: str = "copa-exceptions"
    label: str = "patchgate.io/image-list"

    @property
    def all_records(self) -> tuple[str, ...]:
        """Every name under which records count."""
        return (self.records, *(f"{self.records}-{number}" for number in range(1, self.record_configmaps + 1)))

    def concern(self, configmap: ConfigMap) -> bool:
        """Tell by name and labels whether a ConfigMap counts as anything at all."""
        return configmap.name in self._reserved or self.is_labelled_list(configmap) or self.is_mislabelled(configmap)

    def is_labelled_list(self, configmap: ConfigMap) -> bool:
        """Tell whether its label makes it an image list: never under a name that counts as something else."""
        return configmap.labels.get(self.label) == "true" and configmap.name not in self._reserved

    def is_mislabelled(self, configmap: ConfigMap) -> bool:
        """Tell whether its label has a value that is neither yes nor no: it is then no image list."""
        value = configmap.labels.get(self.label)
        return value not in (None, "true", "false") and configmap.name not in self._reserved

    @property
    def _reserved(self) -> tuple[str, ...]:
        return (self.image_list, self.exceptions, *self.all_records)
