using System.Text;
using System.Text.Json.Nodes;
using System.Xml.Linq;
using k8s.Models;
using Microsoft.AspNetCore.DataProtection.Repositories;
using Phi.Api.Metadata;
using Phi.Kubernetes;

namespace Phi.Dashboard.SignIn;

/// <summary>The keys by which sessions are signed, in a Secret: they outlive the dashboard, and its replicas share them.</summary>
internal sealed class SecretKeyRepository(KubernetesConnection connection, string @namespace) : IXmlRepository
{
    private const string Name = "phi-dashboard-keys";
    private const string Manager = "phi-dashboard";

    public IReadOnlyCollection<XElement> GetAllElements()
    {
        // The interface knows no tasks; keys are read at the first sign-in and once a day.
        var secret = connection.Secrets().GetAsync(@namespace, Name, CancellationToken.None).GetAwaiter().GetResult();
        return [.. (secret?.Data?.Values ?? []).Select(value => XElement.Parse(Encoding.UTF8.GetString(value)))];
    }

    public void StoreElement(XElement element, string friendlyName) => StoreAsync(friendlyName, Encoding.UTF8.GetBytes(element.ToString(SaveOptions.DisableFormatting))).GetAwaiter().GetResult();

    private async Task StoreAsync(string key, byte[] value)
    {
        var secrets = connection.Secrets();
        while (true)
        {
            try
            {
                await secrets.MergePatchAsync(@namespace, Name, new JsonObject { ["data"] = new JsonObject { [key] = Convert.ToBase64String(value) } }, Manager, null, CancellationToken.None);
                return;
            }
            catch (KubernetesApiException e) when (e.IsNotFound)
            {
                await CreateAsync(secrets);
            }
        }
    }

    private async Task CreateAsync(ResourceClient<V1Secret> secrets)
    {
        try
        {
            await secrets.CreateAsync(
                @namespace,
                new V1Secret
                {
                    ApiVersion = "v1",
                    Kind = "Secret",
                    Metadata = new V1ObjectMeta { Name = Name, NamespaceProperty = @namespace, Labels = new Dictionary<string, string> { [PhiNames.ManagedByLabel] = "phi-orchestrator" } },
                    Type = "Opaque",
                },
                Manager,
                CancellationToken.None);
        }
        catch (KubernetesApiException e) when (e.IsConflict)
        {
            // Another replica was faster.
        }
    }
}
