#!/usr/bin/env bash
# Bring up deploy/compose.yaml from nothing, seed it, write a product through to its last effect, end it in order, and see
# after another start that all is kept. About two minutes; PORT (8000) and 4566 must be free.
#
#   deploy/compose_test.sh             with docker, from the images that compose.yaml names
#   deploy/compose_test.sh stand-in    as root, with podman, for machines without a container registry. It takes base and
#                                      image of `make image-test BASE=stand-in`; under the names of the true engines run
#                                      Debian's PostgreSQL, DynamoDB Local out of npm, and osmem-server
set -euo pipefail
cd "$(dirname "$0")/.."
export PORT=${PORT:-8000}
engines=(postgres dynamodb aws opensearch) ours=(web worker scheduler)
beside=$(mktemp -d)

build_stand_in() { # folder, base, name of the image
  buildah build --format docker --isolation chroot --network host --pull-never "${@:4}" \
    --build-arg "PYTHON_IMAGE=$2" -f "$1/Dockerfile" -t "$3" "$1" >"$beside/build.log" 2>&1 || { cat "$beside/build.log" && exit 1; }
}

# An image of Debian's packages, with what the named folder or file holds, under the name that compose.yaml has for it.
stand_in() { # service, packages, what is copied and where to; the rest of the Dockerfile comes from stdin
  local folder=$beside/$1 name
  name=$(sed -nE "s|^    image: (docker.io/.*$1.*)|\1|p" deploy/compose.yaml)
  mkdir "$folder" && cp -r "$3" "$folder/copied"
  {
    echo "FROM $base"
    echo "RUN apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends $2"
    echo "COPY copied $4"
    cat
  } >"$folder/Dockerfile"
  build_stand_in "$folder" "$base" "$name"
  echo "$name" >>"$beside/borrowed"
}

stand_in_engines() {
  local base=localhost/bbws-products-base:stand-in conf=${PIP_CONFIG_FILE:-$HOME/.config/pip/pip.conf} secret=()
  [[ -f $conf ]] && secret=(--secret "id=pip.conf,src=$conf")
  build_stand_in deploy/local "$base" localhost/bbws-products-aws:local "${secret[@]}"
  buildah tag localhost/bbws-products:test localhost/bbws-products:local
  stand_in opensearch curl "$(echo .venv-engines/lib/python3*/site-packages/osmem_server/bin/osmem-server*)" \
    /usr/local/bin/osmem-server <<<'CMD ["osmem-server", "-addr", "0.0.0.0:9200", "-no-ja", "-no-stdin-watch"]'
  stand_in dynamodb "curl default-jre-headless" .dynamodb-local/package/emulator /home/dynamodblocal <<<'
WORKDIR /home/dynamodblocal
RUN mkdir data
ENTRYPOINT ["java"]'
  cat >"$beside/start" <<'START'
#!/bin/sh
set -e
if [ ! -e "$PGDATA/PG_VERSION" ]; then
  echo "$POSTGRES_PASSWORD" >/tmp/password
  initdb --username "$POSTGRES_USER" --pwfile /tmp/password --auth scram-sha-256 >/dev/null
  echo "host all all all scram-sha-256" >>"$PGDATA/pg_hba.conf"
  pg_ctl --wait -o "-c listen_addresses=" start >/dev/null
  PGPASSWORD=$POSTGRES_PASSWORD createdb --username "$POSTGRES_USER" "$POSTGRES_DB"
  pg_ctl --wait stop >/dev/null
fi
exec postgres -c "listen_addresses=*"
START
  chmod +x "$beside/start"
  stand_in postgres postgresql "$beside/start" /usr/local/bin/start <<<'
RUN mkdir -p /var/lib/postgresql/data && chown postgres: /var/lib/postgresql/data && ln -s /usr/lib/postgresql/*/bin /usr/local/postgres
USER postgres
ENV PGDATA=/var/lib/postgresql/data/db PATH=/usr/local/postgres:/usr/local/bin:/usr/bin:/bin
VOLUME /var/lib/postgresql/data
ENTRYPOINT ["/usr/local/bin/start"]'
}

if [[ ${1:-} == stand-in ]]; then
  # What a container within a container may: no limit is raised, and control groups are those of version 1.
  printf '[containers]\ndefault_ulimits = ["nofile=4096:4096", "nproc=8192:8192"]\n[engine]\nruntime = "runc"\n' >"$beside/containers.conf"
  printf 'cgroup_manager = "cgroupfs"\nevents_logger = "file"\n' >>"$beside/containers.conf"
  export CONTAINERS_CONF=$beside/containers.conf
  stand_in_engines
  building=--no-build
  compose() { .venv-lint/bin/podman-compose -f deploy/compose.yaml "$@" 2>>"$beside/compose.log"; }
  healthy() { podman healthcheck run "bbws-products_$1_1" &>/dev/null; } # nothing else runs them without systemd
  ended_with() { podman inspect "bbws-products_$1_1" --format '{{.State.ExitCode}}'; }
else
  building=--build
  compose() { docker compose -f deploy/compose.yaml "$@" 2>>"$beside/compose.log"; }
  healthy() { [[ $(docker inspect --format '{{.State.Health.Status}}' "bbws-products-$1-1") == healthy ]]; }
  ended_with() { docker inspect "bbws-products-$1-1" --format '{{.State.ExitCode}}'; }
fi

finish() {
  local code=$?
  ((code)) && tail -n 40 "$beside/compose.log" && compose logs --tail 20
  compose down --volumes >/dev/null || true
  [[ ! -f $beside/borrowed ]] || xargs buildah rmi <"$beside/borrowed" >/dev/null || true # they are not what they are called
  rm -rf "$beside"
  exit "$code"
}
trap finish EXIT

await() {
  for service in "$@"; do
    for second in {1..120}; do
      healthy "$service" && break
      ((second < 120)) || { echo "$service does not become healthy." && return 1; }
      sleep 1
    done
  done
}

# In the order that compose.yaml asks for, step by step: not every compose waits for a health check.
bring_up() {
  compose up --detach "$building" "${engines[@]}" >/dev/null && await "${engines[@]}"
  for once in migrate resources; do compose run --rm --no-deps -T "$once" >/dev/null; done
  compose up --detach "$building" --no-deps "${ours[@]}" >/dev/null && await "${ours[@]}"
  curl --silent --fail "http://127.0.0.1:$PORT/readyz" && echo
}

manage() { compose run --rm --no-deps -T -e DJANGO_SUPERUSER_PASSWORD=rehearsal-only-1 migrate manage "$@"; }

bring_up
manage seed_products | tail -n 1
manage createsuperuser --no-input --username root --email root@example.com
SMOKE_TOKEN=$(manage issue_token root --days 1 | tail -n 1) python3 deploy/smoke.py "http://127.0.0.1:$PORT/v1.0"

compose stop "${ours[@]}" >/dev/null
for service in "${ours[@]}"; do [[ $(ended_with "$service") == 0 ]] || { echo "$service did not end in order." && exit 1; }; done
compose down >/dev/null
bring_up
[[ $(curl --silent --fail "http://127.0.0.1:$PORT/v1.0/products" | jq .count) == 5 ]] || { echo "The products are gone." && exit 1; }
echo "All is up, was written through, ended in order, and is kept."
