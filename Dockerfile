# The image that charts/artifact-registry runs: the official Functions host, and what is deployed.
# Nothing here was ever built where the tests run, which reach no registry of images.

# By tag, for no digest of it was at hand. Pin one where you build, and renew it with each base:
#   docker build --build-arg BASE=mcr.microsoft.com/azure-functions/python@sha256:… .
ARG BASE=mcr.microsoft.com/azure-functions/python:4-python3.11

FROM ${BASE} AS packages
COPY requirements.txt /
# Wheels alone: the setup.py of a package never runs.
RUN pip install --no-cache-dir --disable-pip-version-check --require-hashes \
    --only-binary :all: --target /packages --requirement /requirements.txt

FROM ${BASE}
# Where Azure puts them too: the worker then loads our packages before its own.
ENV AzureWebJobsScriptRoot=/home/site/wwwroot \
    PYTHONPATH=/home/site/wwwroot/.python_packages/lib/site-packages \
    PYTHON_ISOLATE_WORKER_DEPENDENCIES=1 \
    FUNCTIONS_WORKER_RUNTIME=python
# Above 1024, for who is not root; nothing is written but into /tmp, so that the rest may be
# read-only. Keys of the host are of no use to anybody: each start makes its own.
ENV ASPNETCORE_URLS=http://+:8080 \
    DOTNET_EnableDiagnostics=0 \
    PYTHONDONTWRITEBYTECODE=1 \
    FUNCTIONS_SECRETS_PATH=/tmp/secrets \
    AzureWebJobsSecretStorageType=files \
    AzureFunctionsJobHost__FileWatchingEnabled=false \
    AzureFunctionsJobHost__Logging__FileLoggingMode=Never \
    AzureFunctionsJobHost__Logging__Console__IsEnabled=true

WORKDIR /home/site/wwwroot
COPY --from=packages /packages .python_packages/lib/site-packages/
COPY function_app.py host.json ./
COPY shared shared/
COPY functions functions/
COPY cli cli/
# Now or never: who runs it may not write.
RUN python -m compileall -q .

EXPOSE 8080
USER 10001:10001
# An image is none whose user cannot import it, or read it where files were copied without rights.
RUN python -c 'import function_app, cli.registry'
# Not the script of the base image, a shell that would keep SIGTERM to itself.
CMD ["/azure-functions-host/Microsoft.Azure.WebJobs.Script.WebHost"]
