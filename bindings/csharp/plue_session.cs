namespace Sessions.Bindings;

public partial struct plue_session
{
}
