"""The local AWS: the emulator in a process of its own, patched, on one address of this machine.

Started by stack.py, which hands it a listening socket (so the port can't be
lost between choosing and using it) and holds the other end of its standard
input: when that closes, however the parent ended, everything here stops.
"""

import asyncio
import os
import signal
import sys
import threading
from pathlib import Path


def main() -> None:
    listener = int(sys.argv[1])
    # The emulator reads its settings from the environment while it is imported.
    import ministack.app
    from hypercorn.asyncio import serve
    from hypercorn.config import Config
    from ministack.core import lambda_runtime

    import called
    import doors
    import http_api
    import patch_cloudformation
    import patch_lambda
    import patch_secrets
    import patch_sqs
    from strict.running import Cloud

    log_dir, stack_name = Path(os.environ["LOCAL_LOG_DIR"]), os.environ["LOCAL_STACK_NAME"]
    people, functions = os.environ["AWS_ACCESS_KEY_ID"], os.environ["LOCAL_FUNCTIONS_KEY"]
    guard = doors.Doors(int(os.environ["GATEWAY_PORT"]), {people, functions})
    cloud = Cloud(os.environ["MINISTACK_REGION"], stack_name)
    gate = called.Gate(cloud, log_dir, functions, judges_roles=not ministack.app.AUTH)

    def credentials(of_its_role: dict) -> dict:
        # With AUTH the emulator checks signatures and roles itself: each function has its role's own key.
        if ministack.app.AUTH:
            guard.keys.add(of_its_role["AWS_ACCESS_KEY_ID"])
            return of_its_role
        return {"AWS_ACCESS_KEY_ID": functions, "AWS_SECRET_ACCESS_KEY": functions, "AWS_SESSION_TOKEN": ""}

    patch_lambda.apply(log_dir, stack_name, credentials, gate)
    patch_sqs.apply(stack_name, gate)
    patch_secrets.apply()
    patch_cloudformation.apply()

    config = Config()
    config.bind = [f"fd://{listener}"]
    config.keep_alive_timeout = 75
    config.graceful_timeout = 1
    config.include_server_header = False
    config.loglevel = "WARNING"

    async def run() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(name, stop.set)
        threading.Thread(target=_await_parents_end, args=(loop, stop), daemon=True).start()
        both = http_api.front(gate.front(ministack.app.app))
        await serve(guard.front(both, http_api.is_ours), config, shutdown_trigger=stop.wait)

    try:
        asyncio.run(run())
    finally:
        lambda_runtime.reset()  # ends every function's process
    # Threads that still wait for something must not keep the process.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def _await_parents_end(loop, stop) -> None:
    while sys.stdin.buffer.read(4096):
        pass
    loop.call_soon_threadsafe(stop.set)


if __name__ == "__main__":
    main()
