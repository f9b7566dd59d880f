using System.Diagnostics;
using OpenTelemetry;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Phi.Operator.Tracing;

/// <summary>Traces of reconciles: one span each, with observe, decide and execute as children, and API requests below them.</summary>
internal static class OperatorTracing
{
    public const string SourceName = "phi-operator";
    private const string Endpoint = "OTEL_EXPORTER_OTLP_ENDPOINT";

    public static ActivitySource Source { get; } = new(SourceName);

    /// <summary>Exports by OTLP as the OTEL_ variables say (opentelemetry.io, "OTLP Exporter Configuration"); null if they name no endpoint.</summary>
    public static TracerProvider? Start(string identity) =>
        string.IsNullOrEmpty(Environment.GetEnvironmentVariable(Endpoint)) ? null : Configure(Sdk.CreateTracerProviderBuilder(), identity).AddOtlpExporter().Build();

    public static TracerProviderBuilder Configure(TracerProviderBuilder builder, string identity) => builder
        .ConfigureResource(resource => resource.AddService(SourceName, serviceInstanceId: identity))
        .AddSource(SourceName)

        // Watches and lease renewals are nobody's child; a span of each would drown the rest.
        .AddHttpClientInstrumentation(http => http.FilterHttpRequestMessage = _ => Activity.Current?.Parent is not null);
}
