# `phi`: operator, dashboard, migration of the telemetry database. Context: the checkout.
# Tags, not digests, so that the same file builds on any registry's mirror; pin digests by --build-arg where that matters.
ARG SDK=mcr.microsoft.com/dotnet/sdk:10.0.100-noble
# Without a shell; with time zones, which schedules name.
ARG RUNTIME=mcr.microsoft.com/dotnet/aspnet:10.0.0-noble-chiseled-extra

FROM ${SDK} AS build
WORKDIR /src
COPY . .
RUN dotnet publish src/Phi.Cli -c Release -o /out

FROM ${RUNTIME}
ARG VERSION=0.1.0
LABEL org.opencontainers.image.title="phi" org.opencontainers.image.version="${VERSION}"
COPY --from=build /out /app
# Pods name their command: `phi operator …`.
ENV PATH=/app:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    DOTNET_EnableDiagnostics=0
# A number, by which runAsNonRoot can be checked.
USER 65532:65532
WORKDIR /tmp
ENTRYPOINT ["phi"]
