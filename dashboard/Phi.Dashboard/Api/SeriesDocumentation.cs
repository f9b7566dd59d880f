using Microsoft.OpenApi;

namespace Phi.Dashboard.Api;

/// <summary>The parameters of <c>/api/v1/series</c>, for the API's description.</summary>
internal static class SeriesDocumentation
{
    public static void Describe(OpenApiOperation operation)
    {
        operation.Parameters =
        [
            Parameter("run", "The uid of a job; several, repeated or comma-separated, are answered together.", JsonSchemaType.String, isRequired: true),
            Parameter("metric", "A metric's name; several as with run. Default: loss.", JsonSchemaType.String),
            Parameter("rank", "A rank; several as with run, or all. Default: 0.", JsonSchemaType.String),
            Parameter("axis", "What x, from and to are: step, tokens, time (milliseconds since 1970) or training (seconds of training time). Default: step.", JsonSchemaType.String),
            Parameter("from", "Where the range begins, on the axis. Default: with the first point.", JsonSchemaType.Number),
            Parameter("to", "Where the range ends. Default: with the last point.", JsonSchemaType.Number),
            Parameter("buckets", "At most so many buckets for each series, from 1 to 10000. Default: 1000.", JsonSchemaType.Integer),
            Parameter("format", "json, csv or columns (a JSON header and float64 columns); it wins over the Accept header. Default: json.", JsonSchemaType.String),
        ];
    }

    private static OpenApiParameter Parameter(string name, string description, JsonSchemaType type, bool isRequired = false) =>
        new() { Name = name, In = ParameterLocation.Query, Description = description, Required = isRequired, Schema = new OpenApiSchema { Type = type } };
}
