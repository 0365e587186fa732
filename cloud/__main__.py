"""python -m cloud serve | web | ingest | clock | courier | migrate | create-user | ..."""

import gc

if __name__ == "__main__":
    # what is loaded stays: there is no garbage in it to look for until it is all there
    gc.disable()

from cloud.programs import app

__all__ = ["app"]

if __name__ == "__main__":
    app()
