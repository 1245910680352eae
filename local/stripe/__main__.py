"""`python -m local.stripe --port P`: serve the Stripe emulator on 127.0.0.1:P until SIGTERM or SIGINT."""

import argparse
import logging
import sys

from aiohttp import web

from local.stripe.app import create_app

LINE = '%t "%r" %s %Tfs'


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m local.stripe")
    parser.add_argument("--port", type=int, required=True)
    port: int = parser.parse_args().port
    # localstripe reports its webhooks on this logger too, so that one log tells the whole story in order.
    logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(asctime)s %(message)s")
    # Clients keep their connections open; nothing is lost by not waiting for them.
    web.run_app(create_app(), host="127.0.0.1", port=port, access_log_format=LINE, shutdown_timeout=0.1, print=None)


if __name__ == "__main__":
    main()
