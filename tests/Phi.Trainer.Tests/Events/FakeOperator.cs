using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Phi.Api.Agent;
using Phi.Api.Metadata;

namespace Phi.Trainer.Tests.Events;

/// <summary>An HTTP server that takes events as an operator does, and can be away.</summary>
internal sealed class FakeOperator(Func<EventBatch, Task<int>> take) : IAsyncDisposable
{
    private readonly IPEndPoint _address = FreeEndPoint.Next();
    private WebApplication? _app;

    public Uri Url => new($"http://{_address}");

    /// <summary>Listens, at the same address as before.</summary>
    public async Task ComeAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(_address));
        _app = builder.Build();
        _app.MapPost(AgentRoutes.Events, async http => http.Response.StatusCode = await take((await http.Request.ReadFromJsonAsync<EventBatch>(PhiJson.Options, http.RequestAborted))!));
        await _app.StartAsync();
    }

    /// <summary>Nothing listens any more.</summary>
    public async Task LeaveAsync()
    {
        if (_app is { } app)
        {
            _app = null;
            await app.DisposeAsync();
        }
    }

    public async ValueTask DisposeAsync() => await LeaveAsync();
}
