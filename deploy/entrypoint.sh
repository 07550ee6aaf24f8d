#!/bin/sh
# The entry point of the image. The first argument is the container's role. Every server replaces
# this shell (exec), so that the platform's SIGTERM reaches it.
set -eu

: "${HEARTBEAT_DIR:=/tmp/heartbeats}" "${QUEUES:=change,cache,search,audit}"
export HEARTBEAT_DIR QUEUES
case "${1:-}" in
migrate | manage) export SQL_STATEMENT_SECONDS="${SQL_STATEMENT_SECONDS:-600}" ;;
esac
# `health` reads the role from this file, because a health check does not get the arguments.
role_file=$HOME/role

# QUEUES contains the short names of the queues to consume; tasks/queues.py has the full names.
queue_names() {
  (
    IFS=,
    all=
    for queue in $QUEUES; do
      all="$all${all:+ }bbws-product-$queue-${ENVIRONMENT:?is not set: one of dev, sit, prod}"
    done
    echo "$all"
  )
}

save_role() { echo "$1" >"$role_file"; }

case "${1:-}" in
web)
  save_role web
  # Other settings are environment variables: PORT, WEB_CONCURRENCY, ...
  HOST=0.0.0.0 exec python -m bbws_products.server
  ;;
worker)
  save_role worker
  # On SIGTERM it receives no more messages and ends after its running tasks and one long poll.
  exec python -m tasks.worker
  ;;
scheduler)
  save_role scheduler # run exactly one; a second would only run the relay twice as often
  exec celery --quiet -A bbws_products beat --pidfile= --loglevel "${LOG_LEVEL:-INFO}"
  ;;
migrate)
  python manage.py migrate --no-input
  # On AWS the application has its own database role, and this task runs as the master user.
  [ -z "${DATABASE_ROLE_PASSWORD:-}" ] || exec python manage.py database_role
  ;;
manage)
  shift
  exec python manage.py "$@"
  ;;
health)
  case "$(cat "$role_file" 2>/dev/null)" in
  web) exec python -c "import urllib.request as r; r.urlopen('http://127.0.0.1:${PORT:-8000}/healthz', timeout=4)" ;;
  worker)
    queues=$(queue_names)
    # shellcheck disable=SC2086 # each name is one argument
    exec python -m tasks.heartbeat "$HEARTBEAT_DIR" $queues
    ;;
  scheduler) exec python -m tasks.heartbeat "$HEARTBEAT_DIR" scheduler ;;
  *)
    echo "No role has been started." >&2
    exit 1
    ;;
  esac
  ;;
*)
  echo "'${1:-}' is no role: web, worker, scheduler, migrate, manage COMMAND, health" >&2
  exit 64
  ;;
esac
