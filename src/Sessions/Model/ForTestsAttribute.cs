namespace Sessions.Model;

/// <summary>Nothing but a test uses it.</summary>
[AttributeUsage(AttributeTargets.Method | AttributeTargets.Property)]
internal sealed class ForTestsAttribute : Attribute;
