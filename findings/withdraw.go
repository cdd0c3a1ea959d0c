package findings

// Withdraw takes back a [Store.Begin]. The audit must not have been given to any [Txn]. Like Begin, it waits for no writer.
func (s *Store) Withdraw(taskID string) {
	if a := s.audit(taskID); a != nil {
		s.forget(a)
	}
}
