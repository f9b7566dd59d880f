using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using MudBlazor.Services;
using Phi.Api.Metadata;
using Phi.Dashboard.Actions;
using Phi.Dashboard.Api;
using Phi.Dashboard.Components;
using Phi.Dashboard.Components.Controls;
using Phi.Dashboard.Live;
using Phi.Dashboard.SignIn;
using Phi.Kubernetes;
using Phi.Telemetry.Store;

namespace Phi.Dashboard;

/// <summary>Runs the dashboard: history from the telemetry store, live state from the Kubernetes API.</summary>
public static class DashboardHost
{
    /// <summary>A manifest of the editor's greatest length, in any alphabet.</summary>
    private const int MostMessageBytes = 4 * ManifestEditor.MostCharacters;

    /// <summary>Runs until cancelled.</summary>
    public static async Task RunAsync(DashboardOptions options, CancellationToken ct)
    {
        using var connection = KubernetesConnection.Open(options.Kubeconfig, "phi-dashboard");
        await using var store = await TelemetryStore.OpenAsync(options.TelemetryDatabase, TimeProvider.System, ct);
        var builder = WebApplication.CreateBuilder(ServerHost.Arguments);
        builder.WebHost.UseStaticWebAssets();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            // A circuit without a socket posts its messages; nothing else sends more than a form.
            kestrel.Limits.MaxRequestBodySize = MostMessageBytes;
            kestrel.Listen(options.BindAddress, options.Port);
        });
        // Keys are as safe as the Secret that they are in.
        builder.Logging.SetMinimumLevel(LogLevel.Warning).AddFilter("Microsoft.AspNetCore.DataProtection", LogLevel.Error);
        builder.Services.Configure<Microsoft.Extensions.Hosting.HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(2));
        builder.Services.AddRazorComponents().AddInteractiveServerComponents().AddHubOptions(hub => hub.MaximumReceiveMessageSize = MostMessageBytes);
        builder.Services.AddMudServices();
        SignInHost.AddServices(builder.Services, options, connection);
        ApiHost.AddServices(builder.Services);
        builder.Services.AddSingleton(options);
        builder.Services.AddSingleton(connection);
        builder.Services.AddSingleton(store);
        builder.Services.AddSingleton(NamespaceScope.Of(options.WatchNamespaces));
        builder.Services.AddSingleton(TimeProvider.System);
        builder.Services.AddSingleton<LiveState>();
        builder.Services.AddScoped<ActionGate>().AddScoped<JobActions>().AddScoped<CheckpointActions>().AddScoped<ManifestCheck>();
        await using var app = builder.Build();
        app.UseStatusCodePagesWithReExecute("/not-found", createScopeForStatusCodePages: true);
        app.Use(next => http =>
        {
            // A page is for a person; a program has the status.
            http.Features.GetRequiredFeature<IStatusCodePagesFeature>().Enabled = SignInAnswers.IsPage(http.Request);
            return next(http);
        });
        SignInHost.Use(app, options);
        app.UseAntiforgery();
        app.MapStaticAssets().AllowAnonymous();
        SignInHost.Map(app, options.Oidc);
        ApiHost.Map(app, store, connection);
        // The policy of frames is among the security headers.
        app.MapRazorComponents<App>().AddInteractiveServerRenderMode(server => server.ContentSecurityFrameAncestorsPolicy = null);

        using var stop = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var live = app.Services.GetRequiredService<LiveState>().RunAsync(stop.Token);
        await app.StartAsync(ct);
        if (options.AddressFile is { } file)
        {
            var temporary = file + ".tmp";
            await File.WriteAllTextAsync(temporary, app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First(), ct);
            File.Move(temporary, file, overwrite: true);
        }

        try
        {
            await Task.Delay(Timeout.Infinite, ct);
        }
        catch (OperationCanceledException)
        {
            // The end that was asked for.
        }

        await stop.CancelAsync();
        await live.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await app.StopAsync(CancellationToken.None);
    }
}
