//! The suite that every store must pass: behaviour told as tests, run against any [`Store`](crate::Store).
//!
//! A store's crate calls [`store_suite!`](crate::store_suite) with a function that makes an empty store, or something that
//! dereferences to one. The store holds the keys of [`fixture::keyring`].
#![expect(clippy::unwrap_used, reason = "these are tests; a panic is how they fail")]
#![expect(clippy::missing_panics_doc, reason = "these are tests; a panic is how they fail")]
#![expect(missing_docs, reason = "the name of each test says what it holds")]

pub mod arbitrary;
pub mod cases;
pub mod cluster;
pub mod delivery;
pub mod earmark;
pub mod export;
pub mod fixture;
pub mod held;
pub mod keyed;
pub mod ledger;
pub mod newcomer;
pub mod outbox;
pub mod place;
pub mod purge;
pub mod record;
pub mod rich;
pub mod standing;
pub mod told;

/// Lists every test of the suite once, each against a store of its own that `$make` makes.
#[macro_export]
macro_rules! store_suite {
    ($make:path) => {
        $crate::store_suite! { $make:
            record::a_record_that_was_never_seen_is_not_known,
            record::what_was_learnt_is_known_in_the_order_asked,
            record::the_same_native_id_at_two_instances_is_two_records,
            record::the_same_commit_twice_adds_nothing,
            record::a_fact_told_twice_in_one_commit_is_written_once,
            record::the_last_word_of_a_commit_on_a_record_counts,
            record::a_replica_without_news_is_kept_and_adds_no_commit_to_the_ledger,
            record::a_record_that_is_only_named_is_not_known,
            record::every_kind_of_fact_comes_back_as_it_was,
            record::every_part_of_a_replica_comes_back_as_it_was,
            record::addresses_keep_the_spelling_of_their_source,
            record::a_fact_without_a_record_stands_with_whoever_has_its_address,
            record::a_fact_about_nobody_stands_in_every_dossier_and_makes_everybody_stale,
            record::an_annulment_reaches_beyond_the_record_it_is_told_on,
            record::a_record_that_a_sweep_no_longer_showed_is_gone_and_compared_in_full_when_it_returns,
            record::a_commit_that_fails_writes_nothing,
            cluster::records_without_anything_in_common_are_two_subjects,
            cluster::every_spelling_of_the_widest_class_is_one_subject,
            cluster::the_same_text_as_another_kind_of_identifier_joins_nobody,
            cluster::customer_numbers_and_person_ids_join_across_instances,
            cluster::equal_days_of_birth_join_nobody,
            cluster::a_chain_within_one_commit_is_one_subject,
            cluster::a_chain_across_commits_ends_in_the_lowest_number,
            cluster::an_address_of_the_past_still_joins,
            cluster::a_change_of_address_joins_both_addresses,
            cluster::a_link_joins_records_even_before_they_are_seen,
            cluster::a_split_stands_in_the_dossier_of_everyone_it_names,
            cluster::a_merge_brings_facts_replicas_and_open_changes_together,
            cluster::the_number_of_a_merged_subject_is_never_given_again,
            cluster::equal_digests_of_addresses_are_one_subject,
            cluster::a_digest_that_comes_after_its_address_joins_it,
            cluster::an_address_that_comes_after_its_digest_joins_it,
            cluster::an_address_and_its_digest_in_one_commit_are_one_subject,
            cluster::two_digests_of_one_address_join_over_it,
            cluster::a_digest_of_something_else_joins_nobody,
            told::an_entry_of_a_list_stands_with_whoever_it_names_now_or_later,
            told::a_list_that_is_told_twice_adds_nothing,
            told::an_entry_is_met_with_what_is_known_of_it,
            told::looking_at_a_list_tells_nothing,
            told::whom_a_list_names_is_no_newcomer,
            standing::a_new_subject_is_stale_until_it_is_judged,
            standing::a_standing_is_stale_at_the_instant_it_ends,
            standing::news_make_a_subject_stale_and_a_repetition_does_not,
            standing::news_of_the_same_commit_keep_a_judged_subject_stale,
            standing::news_between_a_dossier_and_its_judgement_keep_the_subject_stale,
            standing::a_judgement_of_a_merged_subject_says_nothing,
            standing::another_law_makes_every_standing_stale,
            standing::decisions_come_back_page_by_page_as_they_were,
            standing::every_subject_is_listed_page_by_page_judged_or_not,
            standing::a_decision_about_an_address_nobody_has_is_refused,
            standing::what_is_new_comes_before_what_ran_out_and_what_is_lost,
            newcomer::a_newcomer_is_fresh_at_once_with_its_decisions_and_changes,
            newcomer::a_record_that_somebody_knew_is_no_newcomer,
            newcomer::who_shares_a_subject_or_comes_twice_is_no_newcomer,
            newcomer::nobody_is_a_newcomer_where_something_reaches_everybody,
            outbox::a_planned_change_is_a_draft_and_a_persons_own_is_pending,
            outbox::a_change_that_is_open_stays_as_it_is,
            outbox::a_change_that_has_ended_begins_anew_when_it_is_wanted_again,
            outbox::a_refused_change_is_not_tried_again_by_itself,
            outbox::the_tally_counts_records_of_drafts_against_present_records,
            outbox::drafts_are_released_for_one_instance_only,
            outbox::held_drafts_wait_for_the_approval_of_their_run,
            outbox::what_a_platform_still_has_to_show_is_not_cancelled,
            outbox::what_a_dead_worker_leased_is_taken_back,
            outbox::a_lost_answer_is_confirmed_or_retried_by_the_next_judgement,
            outbox::every_open_state_is_in_the_dossier,
            outbox::a_change_of_a_record_nobody_knows_is_refused,
            delivery::a_claim_shows_the_change_and_what_its_record_shows,
            delivery::what_is_claimed_belongs_to_its_worker_until_the_lease_ends,
            delivery::what_waits_for_a_time_that_a_wrong_clock_set_is_due,
            delivery::suppressions_come_first_and_openings_only_where_they_may,
            delivery::no_opening_is_claimed_while_a_suppression_waits,
            delivery::a_claim_comes_sorted_by_action_and_scope_and_keeps_to_its_limit,
            delivery::a_claim_takes_only_what_is_due_at_its_instance,
            delivery::every_settlement_leads_to_its_state,
            delivery::a_done_change_writes_what_its_record_shows,
            delivery::a_record_the_platform_does_not_hold_is_gone,
            delivery::a_late_settlement_of_an_ended_change_says_nothing,
            delivery::a_refused_change_is_not_revived_by_a_late_settlement,
            delivery::the_first_of_two_settlements_in_one_commit_counts,
            delivery::attempts_are_counted_at_every_settlement,
            earmark::what_waits_is_listed_page_by_page_in_the_order_in_which_it_was_planned,
            earmark::only_what_has_not_left_the_host_waits,
            earmark::changes_are_found_by_id_however_far_they_have_come,
            earmark::a_mark_moves_nothing_and_only_what_waits_takes_it,
            earmark::a_claim_for_a_plan_takes_its_changes_and_no_others,
            earmark::only_what_is_marked_is_released_for_a_plan,
            earmark::the_tally_of_a_plan_counts_the_records_of_what_nobody_let_go_yet,
            earmark::what_is_released_held_or_approved_without_a_plan_belongs_to_none,
            earmark::what_is_taken_back_keeps_its_plan_only_where_it_was_let_go,
            earmark::a_change_keeps_its_plan_to_its_end_and_begins_anew_without_one,
            place::a_stream_stands_where_it_was_left,
            place::absentees_are_the_present_records_of_a_stream_that_were_not_seen,
            place::only_present_records_are_contacts,
            place::runs_come_newest_first_and_are_saved_over,
            place::somebody_is_found_by_address_customer_number_and_record,
            ledger::an_empty_ledger_holds,
            ledger::every_commit_with_facts_moves_the_head,
            ledger::the_numbers_count_what_there_is,
            ledger::commits_come_page_by_page_as_they_were_chained,
            ledger::facts_of_the_ledger_come_in_the_order_asked_with_whom_they_name,
            ledger::the_subject_of_a_fact_is_the_present_one,
            export::an_export_holds_by_itself_and_names_nobody_unless_it_is_asked_to,
            export::an_export_can_begin_where_another_ended,
            export::no_byte_of_an_export_can_change_unnoticed,
            place::systems_are_listed_with_how_many_of_their_records_are_present,
            cases::a_case_is_kept_as_it_stands_and_written_over,
            cases::cases_are_listed_page_by_page_all_of_them_or_the_open_ones,
            cases::a_case_is_due_at_its_next_moment_and_at_once_where_it_says_so,
            cases::a_case_is_found_by_every_fact_that_belongs_to_it,
            cases::it_is_counted_how_often_a_system_brought_somebody_back,
            cases::requests_lead_to_their_subjects_wherever_they_are_told,
            cases::records_have_numbers_and_show_what_they_showed,
            cases::the_end_of_the_journal_is_remembered,
            keyed::a_tombstone_is_met_by_every_later_spelling_of_its_class,
            keyed::a_tombstone_joins_whoever_a_restored_backup_still_holds,
            keyed::a_digest_under_a_key_that_is_not_at_hand_is_refused,
            held::what_is_held_is_no_record_and_can_be_told_from_one,
            held::what_is_held_comes_back_as_it_was_once_its_hold_has_ended,
            held::what_was_held_goes_when_its_case_is_closed_without_a_hold,
            purge::a_purged_person_is_gone_and_the_tombstone_stays,
            purge::the_same_purge_again_forgets_nothing_more,
            purge::decisions_from_the_tombstone_equal_those_of_the_whole_history,
            purge::who_is_imported_again_meets_the_tombstone,
            purge::what_others_share_stays_with_them,
            purge::changes_that_wait_or_have_ended_go_with_their_record,
            purge::the_chain_says_what_was_purged_and_still_holds,
            purge::no_byte_of_an_export_about_what_was_purged_can_change_unnoticed,
            purge::an_annulment_that_reaches_everybody_outlives_the_record_it_was_told_on,
            purge::numbers_of_what_was_purged_are_never_given_again,
        }
    };
    ($make:path: $($module:ident :: $test:ident),+ $(,)?) => {
        $(
            #[tokio::test]
            async fn $test() {
                let store = $make();
                $crate::suite::$module::$test(&*store).await;
            }
        )+
    };
}
