using System.Globalization;
using System.Net;
using Microsoft.AspNetCore.Http;

namespace Phi.Operator.AgentApi.Identity;

/// <summary>Why a request is not answered.</summary>
internal sealed record Refusal(HttpStatusCode Code, string Why)
{
    /// <summary>When it may be otherwise; null: nobody knows.</summary>
    public TimeSpan? RetryAfter { get; init; }

    public Task WriteAsync(HttpContext http)
    {
        http.Response.StatusCode = (int)Code;
        if (RetryAfter is { } after)
        {
            http.Response.Headers.RetryAfter = Math.Ceiling(after.TotalSeconds).ToString(CultureInfo.InvariantCulture);
        }

        return http.Response.WriteAsync(Why, http.RequestAborted);
    }
}
