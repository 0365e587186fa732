"""Has chargers' certificates signed, soon after they asked."""

from dataclasses import dataclass

from cloud.services.certificates import CertificateService


@dataclass(frozen=True, slots=True)
class Signing:
    """One pass after another; an authority that is away is asked again."""

    service: CertificateService

    def step(self) -> bool:
        """Settle what waits; true where there may be more."""
        return self.service.sign_waiting() > 0
