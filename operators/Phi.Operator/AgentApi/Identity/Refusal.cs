using System.Net;
using Microsoft.AspNetCore.Http;

namespace Phi.Operator.AgentApi.Identity;

/// <summary>Why a request is not answered.</summary>
internal sealed record Refusal(HttpStatusCode Code, string Why)
{
    public Task WriteAsync(HttpContext http)
    {
        http.Response.StatusCode = (int)Code;
        return http.Response.WriteAsync(Why, http.RequestAborted);
    }
}
