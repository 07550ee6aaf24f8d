# shellcheck shell=bash
# Sourced, with the Terraform folder as argument: set the application's variables from Terraform, with
# an empty SQL database in a temporary folder, and PYTHON. VENV names the virtual environment, by
# default .venv, which is created if needed.

while IFS='=' read -r name value; do
  export "$name=$value"
done < <(terraform -chdir="$1" output -json settings | jq -r 'to_entries[] | "\(.key)=\(.value)"')

VENV=${VENV:-.venv}
[[ $VENV != .venv ]] || make .venv/ready
PYTHON=$VENV/bin/python
scratch=$(mktemp -d)
export DATABASE_URL=sqlite:///$scratch/none.sqlite3 HEARTBEAT_DIR=$scratch
export DJANGO_SETTINGS_MODULE=bbws_products.settings.full
"$PYTHON" manage.py migrate --verbosity 0
