# The portal's few commands. `make` alone lists them; docs/deploy.md says how a server is set up.
PYTHON ?= python3
PORT ?= 8000
BIND ?= 127.0.0.1:8000
CHROMIUM ?= /usr/bin/chromium
WORKERS ?= 2

VENV := .venv/bin
PY := $(VENV)/python
KEY = $$($(PY) -c "import secrets; print(secrets.token_urlsafe(48))")
# A server's settings, whatever a local .env says: what is checked is what is deployed.
AS_DEPLOYED = DEBUG=off PORTAL_HTTPS=on TOTP_REQUIRED=on PORTAL_TODAY= DATABASE_URL=sqlite://:memory: \
	SECRET_KEY="$(KEY)" AUDIT_KEY="$(KEY)"

export PORT BIND CHROMIUM SCALE DATABASE REPEAT STOCK_ROWS ONLY OUT

.DEFAULT_GOAL := help
.PHONY: help run serve test coverage lint test-postgres test-browser bench demo-reset lock clean

help: ## List these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: .venv/app ## Start the portal with demo data on http://127.0.0.1:8000 (PORT=8001 make run)
	@exec $(PY) -m config.run.start

serve: .venv/app ## Serve with gunicorn behind a proxy (BIND=127.0.0.1:8000), as on a server
	@exec $(PY) -m config.run.serve

test: .venv/dev lint ## Run every check and the test suite on SQLite
	env -u DATABASE_URL $(VENV)/pytest -n $(WORKERS)

coverage: .venv/dev ## Run the suite on SQLite and say which lines it leaves out
	env -u DATABASE_URL $(VENV)/pytest -n $(WORKERS) --cov --cov-report=term-missing:skip-covered

lint: .venv/dev
	$(VENV)/ruff check
	$(VENV)/ruff format --check
	git ls-files -z -- 'templates/*.html' '*/templates/*.html' \
		| xargs -0 -r $(VENV)/djade --check --target-version 5.2
	$(VENV)/lint-imports --no-logo --cache-dir .cache/imports
	$(AS_DEPLOYED) $(VENV)/mypy
	$(AS_DEPLOYED) $(PY) manage.py check --deploy --fail-level WARNING
	$(AS_DEPLOYED) $(PY) manage.py makemigrations --check --dry-run

test-postgres: .venv/dev ## Run the test suite on PostgreSQL (DATABASE_URL, or a cluster of its own)
	@exec $(PY) -m config.run.postgres $(VENV)/pytest -n $(WORKERS)

test-browser: .venv/dev ## Run the browser tests in Chromium (CHROMIUM=/usr/bin/chromium)
	@test -x "$(CHROMIUM)" || { echo "No Chromium at $(CHROMIUM); set CHROMIUM. 未找到 Chromium，请用 CHROMIUM 指定路径。" >&2; exit 1; }
	env -u DATABASE_URL $(VENV)/pytest tests/browser -m browser

bench: .venv/dev ## Measure the deeds beside their limits (SCALE=county,prefecture,province,growth DATABASE=sqlite,postgres)
	@exec $(PY) -m config.bench

demo-reset: .venv/app ## Delete the local SQLite database and files; the next `make run` fills them anew
	@$(PY) -m config.run.forget

lock: ## Remake requirements/*.txt with uv (a maintainer's tool)
	@$(PYTHON) config/run/lock.py

clean: ## Remove what the checks and builds leave behind (not data, not .venv)
	rm -rf .cache .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage .coverage.* htmlcov staticfiles

.venv/app .venv/dev: .venv/%: requirements/%.txt
	@$(PYTHON) config/run/install.py $*
