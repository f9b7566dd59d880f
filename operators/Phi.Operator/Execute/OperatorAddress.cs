namespace Phi.Operator.Execute;

/// <summary>Where new pods find the operator, and by what authority they know it.</summary>
/// <param name="AuthorityPem">Certificates.</param>
internal sealed record OperatorAddress(string Url, string AuthorityPem);
