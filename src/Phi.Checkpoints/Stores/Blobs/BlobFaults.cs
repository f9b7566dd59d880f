using System.Globalization;
using System.Net.Sockets;
using Azure;
using Azure.Identity;

namespace Phi.Checkpoints.Stores.Blobs;

/// <summary>
/// What became of a request, in words for the user. Messages of the client library are not passed on: they quote addresses and
/// signatures. So no exception here has an inner one.
/// </summary>
/// <param name="field">Of a job's spec, that names the storage.</param>
internal sealed class BlobFaults(BlobLocation location, string field)
{
    private static readonly string[] CredentialCodes = ["AuthenticationFailed", "InvalidAuthenticationInfo", "NoAuthenticationInformation", "AccountIsDisabled"];

    /// <summary>Does the work; what fails in it becomes a <see cref="StorageException"/>.</summary>
    public T Guard<T>(Func<T> work)
    {
        try
        {
            return work();
        }
        catch (Exception e) when (Find(e) is { } fault)
        {
            throw fault;
        }
    }

    /// <summary>Null if that is no failure of the storage.</summary>
    public StorageException? Find(Exception error) => error switch
    {
        AggregateException { InnerException: { } inner } => Find(inner),
        RequestFailedException { Status: > 0 } answered => Answered(answered),
        CredentialUnavailableException => Fault(StorageFault.Refused, "there is no credential for it",
            $"name a Secret in {field}.secretName, set AZURE_STORAGE_CONNECTION_STRING or AZURE_STORAGE_SAS_TOKEN, or run with a workload identity (AZURE_CLIENT_ID, AZURE_TENANT_ID, AZURE_FEDERATED_TOKEN_FILE)"),
        AuthenticationFailedException refused => Identity(refused),
        RequestFailedException or IOException or SocketException or HttpRequestException => Network(error),
        OperationCanceledException { InnerException: TimeoutException } or TaskCanceledException { CancellationToken.IsCancellationRequested: false } => Fault(StorageFault.Unavailable, "it did not answer in time", "look at the network and at the service's state"),
        _ => null,
    };

    private StorageException Answered(RequestFailedException error)
    {
        var said = string.Create(CultureInfo.InvariantCulture, $"the service answered {error.Status} {error.ErrorCode ?? "without an error code"}");
        return error switch
        {
            { ErrorCode: "ContainerNotFound" or "ContainerBeingDeleted" or "ContainerDisabled" } => Fault(StorageFault.Refused, said, $"create the container, or correct {field}.container"),
            { ErrorCode: { } code } when CredentialCodes.Contains(code) => Fault(StorageFault.Refused, said, "check the key or the signature in the Secret's connectionString, when it ends, and this machine's clock"),
            { Status: 401 } => Fault(StorageFault.Refused, said, "check the credential: the Secret's connectionString, or the workload identity"),
            { Status: 403 } => Fault(StorageFault.Refused, said, "allow this credential to read, write, list and delete blobs (role Storage Blob Data Contributor, or a signature with racwdl), from this network"),
            { Status: 429 or >= 500 or 408 } => Fault(StorageFault.Unavailable, said, "look at the service's state; it is tried again"),
            { Status: 409 or 412 } => Fault(StorageFault.Unavailable, said, "another writer was faster; it is tried again"),
            _ => Fault(StorageFault.Refused, said, $"check {field}: account, container, prefix and endpoint"),
        };
    }

    /// <summary>A directory that answered and refused has an AADSTS code; all else is the way to it.</summary>
    private StorageException Identity(AuthenticationFailedException error)
    {
        var at = error.Message.IndexOf("AADSTS", StringComparison.Ordinal);
        return at < 0
            ? Fault(StorageFault.Unavailable, "no token could be had for it", "look at the network and at the identity's variables (AZURE_CLIENT_ID, AZURE_TENANT_ID, AZURE_FEDERATED_TOKEN_FILE, AZURE_AUTHORITY_HOST)")
            : Fault(StorageFault.Refused, $"the directory refused a token ({new string([.. error.Message.Skip(at).TakeWhile(char.IsAsciiLetterOrDigit)])})", "check the identity's client, tenant and federated credential (namespace and service account of the pods)");
    }

    private StorageException Network(Exception error)
    {
        var cause = error;
        while (cause.InnerException is { } inner)
        {
            cause = inner;
        }

        return cause is SocketException { SocketErrorCode: SocketError.HostNotFound or SocketError.NoData }
            ? Fault(StorageFault.Refused, $"there is no host {location.Service.Host}", $"correct {field}.account, or its endpoint; or look at the name service")
            : Fault(StorageFault.Unavailable, $"{location.Service.Authority} cannot be reached ({(cause is SocketException socket ? socket.SocketErrorCode.ToString() : cause.GetType().Name)})", "look at the network and at the service's state");
    }

    private StorageException Fault(StorageFault fault, string said, string remedy) =>
        new($"Azure Blob account '{location.Account}', container '{location.Container}': {said}; {remedy}") { Fault = fault };
}
