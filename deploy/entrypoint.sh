#!/bin/sh
# The image's one way in: the first argument says which role this container has. Every process is exec'd, so that the
# platform's SIGTERM reaches it and it can end in order.
set -eu

: "${HEARTBEAT_DIR:=/tmp/heartbeats}" "${QUEUES:=change,cache,search,audit}"
export HEARTBEAT_DIR
role_file=$HOME/role # what `health` looks after; Docker does not tell a health check the container's arguments

# QUEUES says which queues a worker serves, in short; tasks/queues.py has their full names.
queue_names() { # separator
  (
    IFS=,
    all=
    for queue in $QUEUES; do
      all="$all${all:+$1}bbws-product-$queue-${ENVIRONMENT:?is not set: one of dev, sit, prod}"
    done
    echo "$all"
  )
}

as() { echo "$1" >"$role_file"; }

case "${1:-}" in
web)
  as web
  HOST=0.0.0.0 exec python -m bbws_products.server # its settings are in the environment: PORT, WEB_CONCURRENCY, ...
  ;;
worker)
  as worker
  # On SIGTERM Celery takes no more messages and ends once the tasks that run are done: at most 25 s, and one long poll.
  queues=$(queue_names ,)
  exec celery --quiet -A bbws_products worker --queues "$queues" --concurrency "${WORKER_CONCURRENCY:-4}" \
    --hostname worker@%h --loglevel "${LOG_LEVEL:-INFO}"
  ;;
scheduler)
  as scheduler # exactly one of these: two would only ring the relay twice as often
  exec celery --quiet -A bbws_products beat --pidfile= --loglevel "${LOG_LEVEL:-INFO}"
  ;;
migrate)
  exec python manage.py migrate --no-input
  ;;
manage)
  shift
  exec python manage.py "$@"
  ;;
health)
  case "$(cat "$role_file" 2>/dev/null)" in
  web) exec python -c "import urllib.request as r; r.urlopen('http://127.0.0.1:${PORT:-8000}/healthz', timeout=4)" ;;
  worker)
    queues=$(queue_names ' ')
    # shellcheck disable=SC2086 # each name is an argument of its own
    exec python -m tasks.heartbeat "$HEARTBEAT_DIR" $queues
    ;;
  scheduler) exec python -m tasks.heartbeat "$HEARTBEAT_DIR" scheduler ;;
  *)
    echo "Nothing runs here yet that could be healthy." >&2
    exit 1
    ;;
  esac
  ;;
*)
  echo "'${1:-}' is no role: web, worker, scheduler, migrate, manage COMMAND, health" >&2
  exit 64
  ;;
esac
