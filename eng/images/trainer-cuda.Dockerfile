# `phi-trainer` with libtorch for NVIDIA GPUs. Context: the checkout.
ARG SDK=mcr.microsoft.com/dotnet/sdk:10.0.100-noble
ARG RUNTIME=mcr.microsoft.com/dotnet/aspnet:10.0.0-noble
# CUDA's `runtime` images carry NCCL (libnccl.so.2) and NVRTC (libnvrtc.so.12), which ranks load; the driver is the node's.
ARG CUDA=docker.io/nvidia/cuda:12.8.1-runtime-ubuntu24.04

FROM ${SDK} AS build
WORKDIR /src
COPY . .
RUN dotnet publish src/Phi.Trainer -c Release -p:TorchBackend=cuda -o /out

FROM ${RUNTIME} AS runtime

FROM ${CUDA}
ARG VERSION=0.1.0
LABEL org.opencontainers.image.title="phi-trainer-cuda" org.opencontainers.image.version="${VERSION}"
COPY --from=runtime /usr/share/dotnet /usr/share/dotnet
# Programs that a model writes are judged by Python (spec.phi.evaluation).
RUN apt-get update && apt-get install -y --no-install-recommends python3 && rm -rf /var/lib/apt/lists/*
COPY --from=build /out /app
# A base without one of the two libraries ends the build here and not in a rank.
RUN ldconfig -p | grep -q 'libnccl\.so\.2' && ldconfig -p | grep -q 'libnvrtc\.so\.1[23]' \
    || { echo "the CUDA image lacks libnccl.so.2 or libnvrtc.so.12; use a *-runtime-* tag" >&2; exit 1; }
ENV PATH=/app:/usr/local/nvidia/bin:/usr/local/cuda/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    DOTNET_ROOT=/usr/share/dotnet \
    DOTNET_EnableDiagnostics=0 \
    NVIDIA_VISIBLE_DEVICES=all \
    NVIDIA_DRIVER_CAPABILITIES=compute,utility
USER 65532:65532
WORKDIR /tmp
ENTRYPOINT ["phi-trainer"]
