"""How gunicorn serves the portal: read by `make run`, `make serve` and the systemd unit alike."""

import os

wsgi_app = "config.wsgi:application"
bind = os.environ.get("BIND") or "127.0.0.1:8000"
workers = int(os.environ.get("WEB_CONCURRENCY") or 2)
threads = 4
# Long work is a job of the worker process; a request that takes this long is broken.
timeout = 60
max_requests = 5000
max_requests_jitter = 500
# The socket under the home directory makes two instances clash and fails on a read-only home.
control_socket_disable = True
loglevel = "warning"
proc_name = "portal"
