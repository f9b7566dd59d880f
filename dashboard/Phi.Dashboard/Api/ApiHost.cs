using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Phi.Api.Metadata;
using Phi.Kubernetes;
using Phi.Telemetry.Store;

namespace Phi.Dashboard.Api;

/// <summary>The dashboard's API for programs, and its description at <c>/openapi/v1.json</c>.</summary>
internal static class ApiHost
{
    public static void AddServices(IServiceCollection services)
    {
        services.AddOpenApi("v1", options => options.AddDocumentTransformer((document, _, _) =>
        {
            (document.Info.Title, document.Info.Version) = ("PhiOrchestrator", "v1");
            return Task.CompletedTask;
        }));
        services.AddProblemDetails();
        services.ConfigureHttpJsonOptions(json => PhiJson.Configure(json.SerializerOptions));
    }

    public static void Map(IEndpointRouteBuilder routes, TelemetryStore store, KubernetesConnection connection)
    {
        routes.MapSeries(store);
        routes.MapRuns(store);
        routes.MapLogs(connection);
        routes.MapOpenApi("/openapi/{documentName}.json");
    }
}
