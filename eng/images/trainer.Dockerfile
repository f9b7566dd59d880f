# `phi-trainer` with libtorch for CPU ranks. Context: the checkout.
ARG SDK=mcr.microsoft.com/dotnet/sdk:10.0.100-noble
ARG RUNTIME=mcr.microsoft.com/dotnet/aspnet:10.0.0-noble

FROM ${SDK} AS build
WORKDIR /src
COPY . .
RUN dotnet publish src/Phi.Trainer -c Release -p:TorchBackend=cpu -o /out

FROM ${RUNTIME}
ARG VERSION=0.1.0
LABEL org.opencontainers.image.title="phi-trainer" org.opencontainers.image.version="${VERSION}"
# Programs that a model writes are judged by Python (spec.phi.evaluation).
RUN apt-get update && apt-get install -y --no-install-recommends python3 && rm -rf /var/lib/apt/lists/*
COPY --from=build /out /app
# The operator's pods name their command: `phi-trainer agent`.
ENV PATH=/app:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    DOTNET_EnableDiagnostics=0
USER 65532:65532
WORKDIR /tmp
ENTRYPOINT ["phi-trainer"]
