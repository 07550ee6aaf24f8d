#!/usr/bin/env bash
# Build the image with buildah and test the product in it (tests/deploy/image_checks.py). Takes about
# two minutes and needs root, so it is not part of `make test`.
#
#   deploy/image_test.sh             with the base image of deploy/Dockerfile
#   deploy/image_test.sh stand-in    without a container registry: with a base image made here from a
#                                    minimal Debian and this machine's Python and certificates
#
# IMAGE_ARGS are additional arguments for `buildah build`. pip's own configuration is used, e.g. for
# a private package index.
set -euo pipefail
cd "$(dirname "$0")/.."

stand_in=localhost/bbws-products-base:stand-in
image=localhost/bbws-products:test
python=.venv-test/bin/python

if ! command -v buildah >/dev/null || ((EUID)); then
  echo "This needs root and buildah; on Debian: apt-get install buildah debootstrap" >&2
  exit 1
fi

# Shared libraries that this Python is linked with, which a minimal Debian may lack.
libraries() {
  find "$1/usr/local/lib" -name '*.so*' -not -name '_tkinter*' -exec ldd {} + 2>/dev/null |
    awk '$2 == "=>" && $3 ~ "^/" { print $3 }' | sort -u
}

make_stand_in() {
  local root prefix
  root=$(mktemp -d)
  trap 'rm -rf "$root"' RETURN
  prefix=$("$python" -c 'import sys; print(sys.base_prefix)')
  if [[ $prefix == /usr ]]; then
    echo "The stand-in base needs a Python in its own folder, e.g. from pyenv; this is the system's." >&2
    return 1
  fi
  debootstrap --variant=minbase bookworm "$root" >/dev/null
  cp -a "$prefix"/. "$root/usr/local/"
  rm -rf "$root"/usr/local/lib/python3.*/test "$root"/usr/local/lib/python3.*/site-packages/[!p]* "$root"/var/cache/apt/*
  for certificates in /etc/ssl/certs /usr/share/ca-certificates /usr/local/share/ca-certificates; do
    mkdir -p "$root$certificates" && cp -a "$certificates/." "$root$certificates/"
  done
  libraries "$root" | while read -r library; do
    [[ -e $root$library || -e $root/usr$library || $(basename "$library") == libpython* ]] ||
      cp -L "$library" "$root/usr/lib/"
  done
  chroot "$root" /sbin/ldconfig
  local container
  container=$(buildah from scratch)
  tar -C "$root" -cf "$root.tar" .
  buildah add --quiet "$container" "$root.tar" / >/dev/null
  rm "$root.tar"
  buildah config --env PATH=/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin "$container"
  buildah commit --quiet --rm "$container" "$stand_in" >/dev/null
}

arguments=(--format docker --isolation chroot --network host) # only docker's format has health checks
if [[ ${1:-} == stand-in ]]; then
  buildah inspect --type image "$stand_in" &>/dev/null || make_stand_in
  arguments+=(--pull-never --build-arg "PYTHON_IMAGE=$stand_in")
fi
pip_conf=${PIP_CONFIG_FILE:-$HOME/.config/pip/pip.conf}
[[ -f $pip_conf ]] && arguments+=(--secret "id=pip.conf,src=$pip_conf")
[[ -n ${IMAGE_ARGS:-} ]] && read -ra more <<<"$IMAGE_ARGS" && arguments+=("${more[@]}")

buildah build "${arguments[@]}" --build-arg "REVISION=$(git rev-parse HEAD)" -f deploy/Dockerfile -t "$image" .
IMAGE=$image exec "$python" -m pytest -n 0 --no-cov tests/deploy/image_checks.py
